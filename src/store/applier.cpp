#include "store/applier.hpp"

#include <cstdint>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

io::Task<Result<void>> Applier::AwaitRoom() { co_return Result<void>{}; }

io::Task<Result<uint64_t>> LoadNewest(Snapshots& snapshots, Applier& applier) {
  auto reader = co_await snapshots.ReadNewest();
  if (!reader) co_return Fail(std::move(reader.error()));
  applier.BeginLoading();
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) co_return Fail(std::move(block.error()));
    if (!block->has_value()) break;
    Result<void> loaded;
    Result<void> whole = ForEachItem(**block, [&](Bytes item) {
      if (loaded) loaded = applier.LoadItem(item);
    });
    if (!whole) co_return Fail(std::move(whole.error()));
    if (!loaded) co_return Fail(std::move(loaded.error()));
  }
  applier.EndLoading();
  co_return (*reader)->info().end_offset;
}

}  // namespace meridian::store
