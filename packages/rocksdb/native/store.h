// One RocksDB database and what this process shares between all of them. Knows nothing of Node.js.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/write_buffer_manager.h"

namespace flink {

struct StoreOptions {
  // Of all stores of this process together: block cache, index and filter blocks, write buffers.
  uint64_t memoryBytes = 256u << 20;
  double writeBufferRatio = 0.5;
  double highPriorityRatio = 0.1;
  // Of one store.
  uint64_t writeBufferBytes = 64u << 20;
  uint64_t targetFileBytes = 64u << 20;
  uint64_t levelBaseBytes = 256u << 20;
  uint64_t blockBytes = 4096;
  int writeBuffers = 2;
  int threads = 2;
  double bloomBits = 10;
  // Files that were just flushed are merged when there are so many.
  int levelZeroFiles = 4;
  // Full write buffers that become one file.
  int buffersToMerge = 1;
  // -1: all.
  int openFiles = -1;
  // Files of like size are merged, instead of those of a level with those of the next that overlap.
  bool universal = false;
  // RocksDB counts what it does: costs some per cent.
  bool statistics = false;
  // Removed with all its files when it is closed.
  bool temporary = false;
};

// Entries as scans give them and batches take them: see addon.cc.
struct Span {
  uint8_t* data = nullptr;
  size_t size = 0;
};

// Used by one thread. All calls but the constructor and close() need an open database.
class Store {
 public:
  explicit Store(std::string path) : path_(std::move(path)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() { close(); }

  rocksdb::Status open(const StoreOptions& options);
  void close();
  bool isOpen() const { return db_ != nullptr; }

  rocksdb::Status get(const rocksdb::Slice& key, rocksdb::PinnableSlice* value);
  // A packed batch: operations of kind:u8 keyLength:u32 valueLength:u32 key value. Nothing is written if it is malformed.
  rocksdb::Status write(const Span& batch, uint32_t* count);
  // Fills `target` with keyLength:u32 valueLength:u32 key value of the first entries in [lower, upper). `needed` is the
  // room for the first one if it does not fit.
  rocksdb::Status scan(uint32_t snapshot, const rocksdb::Slice& lower, const rocksdb::Slice& upper, uint32_t limit,
                       Span target, size_t* used, size_t* needed);
  // The same with the last entry only.
  rocksdb::Status last(const rocksdb::Slice& lower, const rocksdb::Slice& upper, Span target, size_t* used,
                       size_t* needed);

  uint32_t takeSnapshot();
  bool releaseSnapshot(uint32_t id);
  bool hasSnapshot(uint32_t id) const { return id == 0 || snapshots_.count(id) > 0; }

  rocksdb::Status checkpoint(const std::string& path);
  rocksdb::Status flush();
  rocksdb::Status deleteRange(const rocksdb::Slice& lower, const rocksdb::Slice& upper);
  rocksdb::Status exportRange(const rocksdb::Slice& lower, const rocksdb::Slice& upper, const std::string& path,
                              uint64_t* count);
  rocksdb::Status ingest(const std::string& path);
  bool property(const std::string& name, std::string* value);
  // What was counted since it was opened, by RocksDB's name of the counter. False: there is none, or nothing is counted.
  bool counter(const std::string& name, uint64_t* value);

 private:
  std::string path_;
  rocksdb::DB* db_ = nullptr;
  rocksdb::Options options_;
  rocksdb::WriteOptions write_;
  rocksdb::ReadOptions read_;
  bool temporary_ = false;
  uint32_t nextSnapshot_ = 1;
  std::map<uint32_t, const rocksdb::Snapshot*> snapshots_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::WriteBufferManager> buffers_;
};

struct MemoryUse {
  uint64_t cacheCapacity = 0;
  uint64_t cacheUsed = 0;
  uint64_t writeBuffersCapacity = 0;
  uint64_t writeBuffersUsed = 0;
};

// Of all stores that are open in this process; zeros if there is none.
MemoryUse memoryUse();

// Removes a database that nobody has open, in any process.
rocksdb::Status destroyStore(const std::string& path);

}  // namespace flink
