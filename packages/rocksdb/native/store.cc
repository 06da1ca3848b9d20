#include "store.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "rocksdb/convenience.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/statistics.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/write_batch.h"

namespace flink {

using rocksdb::Slice;
using rocksdb::Status;

namespace {

constexpr size_t kEntryHead = 8;

// What the stores of this process share; lives as long as one of them. Owner: the mutex.
std::mutex sharedMutex;
std::weak_ptr<rocksdb::Cache> sharedCache;
std::weak_ptr<rocksdb::WriteBufferManager> sharedBuffers;

uint32_t readLength(const uint8_t* at) {
  uint32_t value;
  memcpy(&value, at, sizeof(value));
  return value;
}

void writeLength(uint8_t* at, size_t length) {
  const uint32_t value = static_cast<uint32_t>(length);
  memcpy(at, &value, sizeof(value));
}

// False: there is no room.
bool pack(const Slice& key, const Slice& value, Span target, size_t* used) {
  const size_t size = kEntryHead + key.size() + value.size();
  if (size > target.size - *used) return false;
  uint8_t* at = target.data + *used;
  writeLength(at, key.size());
  writeLength(at + 4, value.size());
  memcpy(at + kEntryHead, key.data(), key.size());
  memcpy(at + kEntryHead + key.size(), value.data(), value.size());
  *used += size;
  return true;
}

rocksdb::CompressionType compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const bool lz4 = std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
  return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

}  // namespace

Status Store::open(const StoreOptions& settings) {
  {
    std::lock_guard<std::mutex> lock(sharedMutex);
    cache_ = sharedCache.lock();
    if (!cache_) {
      cache_ = rocksdb::NewLRUCache(settings.memoryBytes, 4, false, settings.highPriorityRatio);
      sharedCache = cache_;
    }
    buffers_ = sharedBuffers.lock();
    if (!buffers_) {
      // Write buffers are charged to the cache, so that its size bounds both together.
      const size_t size = static_cast<size_t>(static_cast<double>(settings.memoryBytes) * settings.writeBufferRatio);
      buffers_ = std::make_shared<rocksdb::WriteBufferManager>(std::max<size_t>(size, 1 << 20), cache_);
      sharedBuffers = buffers_;
    }
  }
  temporary_ = settings.temporary;
  options_.create_if_missing = true;
  // Files are stored elsewhere: they must not say on which host they were made.
  options_.db_host_id = "";
  options_.write_buffer_manager = buffers_;
  options_.write_buffer_size = settings.writeBufferBytes;
  // An arena block is allocated as a whole: it must not be most of a small store's share.
  options_.arena_block_size = std::min<size_t>(settings.writeBufferBytes / 8, 1 << 20);
  options_.max_write_buffer_number = std::max(settings.writeBuffers, 2);
  options_.max_background_jobs = std::max(settings.threads, 1);
  options_.min_write_buffer_number_to_merge =
      std::clamp(settings.buffersToMerge, 1, options_.max_write_buffer_number - 1);
  options_.max_open_files = settings.openFiles;
  options_.level0_file_num_compaction_trigger = std::max(settings.levelZeroFiles, 2);
  // Writing is slowed down well above that.
  options_.level0_slowdown_writes_trigger = std::max(20, 2 * settings.levelZeroFiles);
  options_.level0_stop_writes_trigger = std::max(36, 3 * settings.levelZeroFiles);
  options_.compaction_style = settings.universal ? rocksdb::kCompactionStyleUniversal : rocksdb::kCompactionStyleLevel;
  if (settings.statistics) {
    options_.statistics = rocksdb::CreateDBStatistics();
    options_.statistics->set_stats_level(rocksdb::kExceptDetailedTimers);
  }
  options_.compression = compression();
  options_.target_file_size_base = std::max<uint64_t>(settings.targetFileBytes, 1 << 20);
  options_.max_bytes_for_level_base = std::max<uint64_t>(settings.levelBaseBytes, 1 << 20);
  options_.level_compaction_dynamic_level_bytes = !settings.universal;
  options_.keep_log_file_num = 2;
  options_.info_log_level = rocksdb::WARN_LEVEL;
  options_.stats_dump_period_sec = 0;
  options_.stats_persist_period_sec = 0;
  // Durable is what a checkpoint has stored elsewhere: a store never outlives its task.
  options_.use_fsync = false;
  options_.avoid_flush_during_shutdown = true;
  options_.avoid_unnecessary_blocking_io = true;
  options_.allow_concurrent_memtable_write = false;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache_;
  table.block_size = std::max<uint64_t>(settings.blockBytes, 1024);
  table.format_version = 5;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  if (settings.bloomBits > 0) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(settings.bloomBits, false));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options_.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  write_.disableWAL = true;
  Status status = rocksdb::DB::Open(options_, path_, &db_);
  if (!status.ok()) {
    db_ = nullptr;
    // Nothing of a store that did not open may stay.
    if (temporary_) destroyStore(path_).PermitUncheckedError();
  }
  return status;
}

void Store::close() {
  if (db_ == nullptr) return;
  for (auto& [id, snapshot] : snapshots_) db_->ReleaseSnapshot(snapshot);
  snapshots_.clear();
  rocksdb::CancelAllBackgroundWork(db_, true);
  db_->Close().PermitUncheckedError();
  delete db_;
  db_ = nullptr;
  if (temporary_) {
    rocksdb::DestroyDB(path_, options_).PermitUncheckedError();
    // Checkpoints that were made inside it.
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  // The last one frees what all share.
  options_ = rocksdb::Options();
  buffers_.reset();
  cache_.reset();
}

Status Store::get(const Slice& key, rocksdb::PinnableSlice* value) {
  return db_->Get(read_, db_->DefaultColumnFamily(), key, value);
}

Status Store::write(const Span& packed, uint32_t* count) {
  rocksdb::WriteBatch batch;
  const uint8_t* at = packed.data;
  const uint8_t* end = packed.data + packed.size;
  *count = 0;
  while (at < end) {
    if (end - at < 9) return Status::InvalidArgument("the batch is cut off");
    const uint8_t kind = at[0];
    const size_t keyLength = readLength(at + 1);
    const size_t valueLength = readLength(at + 5);
    at += 9;
    if (keyLength + valueLength > static_cast<size_t>(end - at)) return Status::InvalidArgument("the batch is cut off");
    const Slice key(reinterpret_cast<const char*>(at), keyLength);
    const Slice value(reinterpret_cast<const char*>(at) + keyLength, valueLength);
    Status status;
    if (kind == 0) status = batch.Put(key, value);
    else if (kind == 1) status = batch.Delete(key);
    else if (kind == 2 && key.compare(value) < 0) status = batch.DeleteRange(key, value);
    else if (kind == 2) status = Status::InvalidArgument("a range ends before it begins");
    else status = Status::InvalidArgument("the batch has an operation of an unknown kind");
    if (!status.ok()) return status;
    at += keyLength + valueLength;
    ++*count;
  }
  return db_->Write(write_, &batch);
}

Status Store::scan(uint32_t snapshot, const Slice& lower, const Slice& upper, uint32_t limit, Span target,
                   size_t* used, size_t* needed) {
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &upper;
  if (snapshot != 0) {
    read.snapshot = snapshots_.at(snapshot);
    // Everything is read once: it must not drive out what records need.
    read.fill_cache = false;
  }
  *used = 0;
  *needed = 0;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
  uint32_t count = 0;
  for (it->Seek(lower); count < limit && it->Valid(); it->Next(), count++) {
    if (pack(it->key(), it->value(), target, used)) continue;
    if (count == 0) *needed = kEntryHead + it->key().size() + it->value().size();
    break;
  }
  return it->status();
}

Status Store::last(const Slice& lower, const Slice& upper, Span target, size_t* used, size_t* needed) {
  rocksdb::ReadOptions read;
  read.iterate_lower_bound = &lower;
  *used = 0;
  *needed = 0;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
  it->SeekForPrev(upper);
  if (it->Valid() && it->key().compare(upper) >= 0) it->Prev();
  if (it->Valid() && !pack(it->key(), it->value(), target, used))
    *needed = kEntryHead + it->key().size() + it->value().size();
  return it->status();
}

uint32_t Store::takeSnapshot() {
  const uint32_t id = nextSnapshot_++;
  snapshots_[id] = db_->GetSnapshot();
  return id;
}

bool Store::releaseSnapshot(uint32_t id) {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) return false;
  db_->ReleaseSnapshot(found->second);
  snapshots_.erase(found);
  return true;
}

Status Store::checkpoint(const std::string& path) {
  rocksdb::Checkpoint* made = nullptr;
  Status status = rocksdb::Checkpoint::Create(db_, &made);
  if (!status.ok()) return status;
  std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  return checkpoint->CreateCheckpoint(path, 0);
}

Status Store::flush() { return db_->Flush(rocksdb::FlushOptions()); }

Status Store::deleteRange(const Slice& lower, const Slice& upper) {
  if (lower.compare(upper) >= 0) return Status::InvalidArgument("the range ends before it begins");
  Status status = rocksdb::DeleteFilesInRange(db_, db_->DefaultColumnFamily(), &lower, &upper, false);
  if (!status.ok()) return status;
  return db_->DeleteRange(write_, db_->DefaultColumnFamily(), lower, upper);
}

Status Store::exportRange(const Slice& lower, const Slice& upper, const std::string& path, uint64_t* count) {
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &upper;
  read.fill_cache = false;
  *count = 0;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
  it->Seek(lower);
  if (!it->Valid()) return it->status();
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options_);
  Status status = writer.Open(path);
  for (; status.ok() && it->Valid(); it->Next(), ++*count) status = writer.Put(it->key(), it->value());
  if (status.ok()) status = it->status();
  if (status.ok()) status = writer.Finish();
  return status;
}

Status Store::ingest(const std::string& path) {
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  return db_->IngestExternalFile({path}, options);
}

bool Store::property(const std::string& name, std::string* value) { return db_->GetProperty(name, value); }

bool Store::counter(const std::string& name, uint64_t* value) {
  if (!options_.statistics) return false;
  for (const auto& [ticker, known] : rocksdb::TickersNameMap) {
    if (known != name) continue;
    *value = options_.statistics->getTickerCount(ticker);
    return true;
  }
  return false;
}

MemoryUse memoryUse() {
  std::lock_guard<std::mutex> lock(sharedMutex);
  MemoryUse use;
  if (auto cache = sharedCache.lock()) {
    use.cacheCapacity = cache->GetCapacity();
    use.cacheUsed = cache->GetUsage();
  }
  if (auto buffers = sharedBuffers.lock()) {
    use.writeBuffersCapacity = buffers->buffer_size();
    use.writeBuffersUsed = buffers->memory_usage();
  }
  return use;
}

Status destroyStore(const std::string& path) { return rocksdb::DestroyDB(path, rocksdb::Options()); }

}  // namespace flink
