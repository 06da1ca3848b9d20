// The functions that TypeScript sees (rocksdb-addon.ts says what they are). Stores are numbers, known to one thread of
// Node.js only; a number that is none throws. Keys, values, batches and results travel in typed arrays whose bounds are
// checked at each call; `get` uses one buffer of the store, so that it allocates nothing.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cmath>
#include <exception>
#include <new>
#include <vector>

#include "rocksdb/version.h"
#include "store.h"

namespace {

using flink::Span;
using flink::Store;
using rocksdb::Slice;
using rocksdb::Status;

struct Opened {
  std::unique_ptr<Store> store;
  napi_ref scratchRef = nullptr;
  Span scratch;
};

// Of one thread of Node.js.
struct Instance {
  std::vector<Opened> stores;
};

// Thrown after a JavaScript exception was set.
struct Thrown {};

[[noreturn]] void fail(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  throw Thrown();
}

[[noreturn]] void failType(napi_env env, const std::string& message) {
  napi_throw_type_error(env, "INVALID_ARGUMENT", message.c_str());
  throw Thrown();
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, "INTERNAL", "Node.js refused a call of the addon");
  throw Thrown();
}

void check(napi_env env, const Status& status) {
  if (status.ok()) return;
  const char* code = "FAILED";
  if (status.IsNoSpace()) code = "NO_SPACE";
  else if (status.IsCorruption()) code = "CORRUPTION";
  else if (status.IsIOError()) code = "IO";
  else if (status.IsInvalidArgument()) code = "INVALID_ARGUMENT";
  else if (status.IsBusy() || status.IsTryAgain()) code = "BUSY";
  fail(env, code, status.ToString());
}

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, size_t expected) : env_(env) {
    size_t count = kMost;
    check(env, napi_get_cb_info(env, info, &count, values_, nullptr, nullptr));
    if (count < expected)
      failType(env, std::to_string(expected) + " arguments are expected, not " + std::to_string(count));
  }

  double number(size_t i) const {
    double value = 0;
    if (napi_get_value_double(env_, values_[i], &value) != napi_ok || !std::isfinite(value) || value < 0)
      failType(env_, "argument " + std::to_string(i) + " is no number from 0 on");
    return value;
  }

  uint32_t whole(size_t i) const {
    const double value = number(i);
    if (value > 4294967295.0) failType(env_, "argument " + std::to_string(i) + " is too large");
    return static_cast<uint32_t>(value);
  }

  std::string text(size_t i) const {
    size_t length = 0;
    if (napi_get_value_string_utf8(env_, values_[i], nullptr, 0, &length) != napi_ok)
      failType(env_, "argument " + std::to_string(i) + " is no text");
    std::string value(length, '\0');
    check(env_, napi_get_value_string_utf8(env_, values_[i], &value[0], length + 1, &length));
    return value;
  }

  Span bytes(size_t i) const {
    bool is = false;
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (napi_is_typedarray(env_, values_[i], &is) != napi_ok || !is ||
        napi_get_typedarray_info(env_, values_[i], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array)
      failType(env_, "argument " + std::to_string(i) + " is no Uint8Array");
    // RocksDB takes no null.
    static uint8_t nothing = 0;
    return {data == nullptr ? &nothing : static_cast<uint8_t*>(data), data == nullptr ? 0 : length};
  }

  Slice slice(size_t i) const {
    const Span span = bytes(i);
    return Slice(reinterpret_cast<const char*>(span.data), span.size);
  }

  napi_value value(size_t i) const { return values_[i]; }

  Opened& opened(size_t i) const {
    void* data = nullptr;
    check(env_, napi_get_instance_data(env_, &data));
    auto& stores = static_cast<Instance*>(data)->stores;
    const uint32_t id = whole(i);
    if (id >= stores.size()) fail(env_, "CLOSED", "there is no store " + std::to_string(id));
    if (!stores[id].store) fail(env_, "CLOSED", "store " + std::to_string(id) + " is closed");
    return stores[id];
  }

  Store& store(size_t i) const { return *opened(i).store; }

 private:
  static constexpr size_t kMost = 8;
  napi_env env_;
  napi_value values_[kMost] = {};
};

double option(napi_env env, napi_value options, const char* name, double absent) {
  bool has = false;
  check(env, napi_has_named_property(env, options, name, &has));
  if (!has) return absent;
  napi_value value;
  check(env, napi_get_named_property(env, options, name, &value));
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || !std::isfinite(number) || number < 0)
    failType(env, std::string("option ") + name + " is no number from 0 on");
  return number;
}

napi_value number(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

napi_value text(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

// Gives a store a buffer of so many bytes, which JavaScript gets too.
napi_value giveScratch(napi_env env, Opened& opened, size_t size) {
  void* data = nullptr;
  napi_value buffer;
  napi_ref ref;
  check(env, napi_create_arraybuffer(env, size, &data, &buffer));
  check(env, napi_create_reference(env, buffer, 1, &ref));
  if (opened.scratchRef != nullptr) napi_delete_reference(env, opened.scratchRef);
  opened.scratchRef = ref;
  opened.scratch = {static_cast<uint8_t*>(data), size};
  return buffer;
}

void shut(napi_env env, Opened& opened) {
  opened.store.reset();
  if (opened.scratchRef != nullptr) napi_delete_reference(env, opened.scratchRef);
  opened.scratchRef = nullptr;
  opened.scratch = {};
}

// open(path, options): number of the store
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  const std::string path = arguments.text(0);
  const napi_value given = arguments.value(1);
  napi_valuetype type;
  check(env, napi_typeof(env, given, &type));
  if (type != napi_object) failType(env, "argument 1 is no object");
  flink::StoreOptions o;
  o.memoryBytes = static_cast<uint64_t>(option(env, given, "memoryBytes", static_cast<double>(o.memoryBytes)));
  o.writeBufferRatio = std::fmin(1, option(env, given, "writeBufferRatio", o.writeBufferRatio));
  o.highPriorityRatio = std::fmin(1, option(env, given, "highPriorityRatio", o.highPriorityRatio));
  o.writeBufferBytes =
      static_cast<uint64_t>(option(env, given, "writeBufferBytes", static_cast<double>(o.writeBufferBytes)));
  o.targetFileBytes =
      static_cast<uint64_t>(option(env, given, "targetFileBytes", static_cast<double>(o.targetFileBytes)));
  o.levelBaseBytes =
      static_cast<uint64_t>(option(env, given, "levelBaseBytes", static_cast<double>(o.levelBaseBytes)));
  o.blockBytes = static_cast<uint64_t>(option(env, given, "blockBytes", static_cast<double>(o.blockBytes)));
  o.writeBuffers = static_cast<int>(std::fmin(64, option(env, given, "writeBuffers", o.writeBuffers)));
  o.threads = static_cast<int>(std::fmin(256, option(env, given, "threads", o.threads)));
  o.bloomBits = option(env, given, "bloomBits", o.bloomBits);
  o.levelZeroFiles = static_cast<int>(std::fmin(1000, option(env, given, "levelZeroFiles", o.levelZeroFiles)));
  o.buffersToMerge = static_cast<int>(std::fmin(64, option(env, given, "buffersToMerge", o.buffersToMerge)));
  // 0: all.
  const double openFiles = std::fmin(1 << 20, option(env, given, "openFiles", 0));
  o.openFiles = openFiles < 1 ? -1 : static_cast<int>(openFiles);
  o.universal = option(env, given, "universal", 0) != 0;
  o.statistics = option(env, given, "statistics", 0) != 0;
  o.temporary = option(env, given, "temporary", 0) != 0;
  auto store = std::make_unique<Store>(path);
  check(env, store->open(o));
  void* data = nullptr;
  check(env, napi_get_instance_data(env, &data));
  auto& stores = static_cast<Instance*>(data)->stores;
  stores.emplace_back();
  stores.back().store = std::move(store);
  return number(env, static_cast<double>(stores.size() - 1));
}

// scratch(store, sizeBytes): ArrayBuffer that `get` uses from now on
napi_value Scratch(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  return giveScratch(env, arguments.opened(0), arguments.whole(1));
}

napi_value Close(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  shut(env, arguments.opened(0));
  return nullptr;
}

// get(store, keyLength, valueOffset): size of the value, which is in the scratch at the offset; -1: there is none;
// -2 - size: it does not fit. The key is at the start of the scratch.
napi_value Get(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 3);
  const Opened& opened = arguments.opened(0);
  const uint32_t keyLength = arguments.whole(1);
  const uint32_t offset = arguments.whole(2);
  const Span& scratch = opened.scratch;
  if (keyLength > scratch.size || offset > scratch.size) fail(env, "INVALID_ARGUMENT", "it is outside of the scratch");
  rocksdb::PinnableSlice value;
  const Status status = opened.store->get(Slice(reinterpret_cast<char*>(scratch.data), keyLength), &value);
  if (status.IsNotFound()) return number(env, -1);
  check(env, status);
  if (value.size() > scratch.size - offset) return number(env, -2 - static_cast<double>(value.size()));
  memcpy(scratch.data + offset, value.data(), value.size());
  return number(env, static_cast<double>(value.size()));
}

// write(store, batch, sizeBytes): number of operations
napi_value Write(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 3);
  Span batch = arguments.bytes(1);
  const uint32_t size = arguments.whole(2);
  if (size > batch.size) fail(env, "INVALID_ARGUMENT", "the batch is shorter than its size");
  batch.size = size;
  uint32_t count = 0;
  check(env, arguments.store(0).write(batch, &count));
  return number(env, count);
}

napi_value filled(napi_env env, size_t used, size_t needed) {
  return number(env, needed > 0 ? -static_cast<double>(needed) : static_cast<double>(used));
}

// scan(store, snapshot, lower, upper, limit, target): bytes used; -n: the first entry needs n. Snapshot 0: as of now.
napi_value Scan(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  Store& store = arguments.store(0);
  const uint32_t snapshot = arguments.whole(1);
  if (!store.hasSnapshot(snapshot)) fail(env, "CLOSED", "there is no snapshot " + std::to_string(snapshot));
  size_t used = 0;
  size_t needed = 0;
  check(env, store.scan(snapshot, arguments.slice(2), arguments.slice(3), arguments.whole(4), arguments.bytes(5), &used,
                        &needed));
  return filled(env, used, needed);
}

// last(store, lower, upper, target): as scan, of the last entry
napi_value Last(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 4);
  size_t used = 0;
  size_t needed = 0;
  check(env, arguments.store(0).last(arguments.slice(1), arguments.slice(2), arguments.bytes(3), &used, &needed));
  return filled(env, used, needed);
}

napi_value TakeSnapshot(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  return number(env, arguments.store(0).takeSnapshot());
}

napi_value ReleaseSnapshot(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  const uint32_t snapshot = arguments.whole(1);
  if (!arguments.store(0).releaseSnapshot(snapshot))
    fail(env, "CLOSED", "there is no snapshot " + std::to_string(snapshot));
  return nullptr;
}

napi_value MakeCheckpoint(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  check(env, arguments.store(0).checkpoint(arguments.text(1)));
  return nullptr;
}

napi_value Flush(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  check(env, arguments.store(0).flush());
  return nullptr;
}

napi_value DeleteRange(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 3);
  check(env, arguments.store(0).deleteRange(arguments.slice(1), arguments.slice(2)));
  return nullptr;
}

// exportRange(store, lower, upper, path): number of entries in the file; 0: none was made
napi_value ExportRange(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 4);
  uint64_t count = 0;
  check(env, arguments.store(0).exportRange(arguments.slice(1), arguments.slice(2), arguments.text(3), &count));
  return number(env, static_cast<double>(count));
}

napi_value Ingest(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  check(env, arguments.store(0).ingest(arguments.text(1)));
  return nullptr;
}

napi_value Property(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  std::string value;
  if (!arguments.store(0).property(arguments.text(1), &value)) return nullptr;
  return text(env, value);
}

// counter(store, name): number, or undefined
napi_value Counter(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  uint64_t value = 0;
  if (!arguments.store(0).counter(arguments.text(1), &value)) return nullptr;
  return number(env, static_cast<double>(value));
}

napi_value Memory(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 0);
  const flink::MemoryUse use = flink::memoryUse();
  napi_value result;
  check(env, napi_create_object(env, &result));
  const auto set = [&](const char* name, uint64_t value) {
    check(env, napi_set_named_property(env, result, name, number(env, static_cast<double>(value))));
  };
  set("cacheCapacityBytes", use.cacheCapacity);
  set("cacheUsedBytes", use.cacheUsed);
  set("writeBuffersCapacityBytes", use.writeBuffersCapacity);
  set("writeBuffersUsedBytes", use.writeBuffersUsed);
  return result;
}

// No exception of C++ may reach Node.js: it would end the process.
template <napi_callback F>
napi_value Guarded(napi_env env, napi_callback_info info) {
  try {
    return F(env, info);
  } catch (const Thrown&) {
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "NO_MEMORY", "there is not enough memory");
  } catch (const std::exception& error) {
    napi_throw_error(env, "FAILED", error.what());
  } catch (...) {
    napi_throw_error(env, "FAILED", "an unknown exception");
  }
  return nullptr;
}

napi_value Init(napi_env env, napi_value exports) {
  // Ends with the thread: stores that are still open are closed then, temporary ones removed.
  auto* instance = new Instance();
  napi_set_instance_data(
      env, instance, [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr);
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"open", Guarded<Open>},
      {"scratch", Guarded<Scratch>},
      {"close", Guarded<Close>},
      {"get", Guarded<Get>},
      {"write", Guarded<Write>},
      {"scan", Guarded<Scan>},
      {"last", Guarded<Last>},
      {"takeSnapshot", Guarded<TakeSnapshot>},
      {"releaseSnapshot", Guarded<ReleaseSnapshot>},
      {"checkpoint", Guarded<MakeCheckpoint>},
      {"flush", Guarded<Flush>},
      {"deleteRange", Guarded<DeleteRange>},
      {"exportRange", Guarded<ExportRange>},
      {"ingest", Guarded<Ingest>},
      {"property", Guarded<Property>},
      {"counter", Guarded<Counter>},
      {"memory", Guarded<Memory>},
  };
  for (const auto& function : functions) {
    napi_value value;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, nullptr, &value) != napi_ok ||
        napi_set_named_property(env, exports, function.name, value) != napi_ok)
      return nullptr;
  }
  const std::string version = std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
                              std::to_string(ROCKSDB_PATCH);
  napi_value value;
  if (napi_create_string_utf8(env, version.data(), version.size(), &value) == napi_ok)
    napi_set_named_property(env, exports, "version", value);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
