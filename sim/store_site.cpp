#include "sim/store_site.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "sim/faulty_disk.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kLog = "session";
constexpr std::string_view kSite = "photos";
constexpr int kWriters = 3;
constexpr uint64_t kMaxBodyBytes = 900;

SyncFaults SyncFaultsOf(PlantedBug bug) {
  return {.files = bug == PlantedBug::kSyncsNothing,
          .folders = bug == PlantedBug::kForgetsFolderSyncs};
}

store::LogOptions OptionsOf(uint64_t id) {
  return {.folder = "log", .id = id, .segment_bytes = store::kMinSegmentBytes, .headroom_bytes = 0};
}

io::Task<void> ServeOne(store::MirrorServer& server, std::unique_ptr<io::Stream> stream) {
  co_await server.Serve(std::move(stream), [](std::string_view) { return true; });
}

// Applies durable records from `state` on, until there are no more.
io::Task<Result<void>> CatchUp(store::Log& log, store::Snapshots& snapshots, StoreState& state,
                               StoreOracle& oracle, std::string_view who) {
  for (;;) {
    auto batch = co_await log.Read(state.end_offset, 2000);
    if (!batch && batch.error().code == Errc::kNotFound) {
      if (auto loaded = co_await LoadState(snapshots, state); !loaded) co_return loaded;
      continue;
    }
    if (!batch) co_return Fail(batch.error());
    if (batch->empty()) co_return Result<void>{};
    batch->ForEach([&](const store::Record& record) {
      oracle.SawDurable(who, record.offset, AsText(record.body));
      state.Apply(record);
    });
  }
}

}  // namespace

IpAddress StoreAddress(size_t machine) {
  return IpAddress::V4(10, 0, 0, static_cast<uint8_t>(1 + machine));
}

void StoreOracle::SawDurable(std::string_view who, uint64_t offset, std::string_view body) {
  auto [found, is_new] = durable_.try_emplace(offset, body);
  if (is_new || found->second == body) return;
  world_.Fail(
      fmt::format("{} has another record at offset {} than was durable before", who, offset));
}

void StoreOracle::Acknowledged(size_t machine, uint64_t end_offset) {
  uint64_t& most = acknowledged_[machine];
  most = std::max(most, end_offset);
}

uint64_t StoreOracle::acknowledged(size_t machine) const {
  auto found = acknowledged_.find(machine);
  return found == acknowledged_.end() ? 0 : found->second;
}

void StoreOracle::Started(size_t machine, uint64_t end_offset) {
  if (end_offset >= acknowledged(machine)) return;
  world_.Fail(fmt::format("machine {} starts with all below {} and had acknowledged {}", machine,
                          end_offset, acknowledged(machine)));
}

void StoreState::Apply(const store::Record& record) {
  hash = Hash64(AsText(record.body), hash + record.offset);
  end_offset = record.end_offset();
}

io::Task<Result<void>> LoadState(store::Snapshots& snapshots, StoreState& state) {
  auto reader = co_await snapshots.ReadNewest();
  if (!reader) co_return Fail(reader.error());
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) co_return Fail(block.error());
    if (!*block) break;
    auto items = store::ForEachItem(**block, [&](Bytes item) {
      ByteReader fields(item);
      state.end_offset = fields.U64();
      state.hash = fields.U64();
    });
    if (!items) co_return items;
  }
  if (state.end_offset == (*reader)->info().end_offset) co_return Result<void>{};
  co_return Fail(Errc::kInvalid, "a snapshot of offset {} holds the state at {}",
                 (*reader)->info().end_offset, state.end_offset);
}

io::Task<Result<void>> SaveState(store::Snapshots& snapshots, const store::Log& log,
                                 StoreState state, HybridTime time) {
  auto writer = co_await snapshots.Begin({.log_id = log.id(),
                                          .end_offset = state.end_offset,
                                          .time = time,
                                          .epoch = log.newest_epoch()});
  if (!writer) co_return Fail(writer.error());
  uint8_t item[16];
  ByteWriter fields(item);
  fields.U64(state.end_offset);
  fields.U64(state.hash);
  if (auto added = co_await (*writer)->Add(item); !added) co_return added;
  co_return co_await (*writer)->Commit();
}

struct StoreLeader::Parts {
  HybridClock& clock;
  store::Log& log;
  store::Snapshots& snapshots;
  store::MirrorServer& server;
  io::Scope& scope;
};

io::Task<void> StoreLeader::Run(io::sim::Machine& machine) {
  FaultyDisk disk(machine.disk, SyncFaultsOf(bug_));
  HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
  auto clock_file = co_await store::ClockFile::Open(machine.loop, disk, clock, {.folder = "state"});
  if (!clock_file) co_return;
  auto log = co_await store::Log::Open(machine.loop, disk, OptionsOf(4711));
  auto snapshots = co_await store::Snapshots::Open(disk, "snapshots");
  if (log && snapshots) {
    state_ = {};
    bool whole = (*log)->recovery().damaged.empty();
    if (!whole) world_.Fail("the leader's log is damaged by a crash");
    oracle_.Started(0, (*log)->durable_end_offset());
    store::MirrorServer server(machine.loop, {.identity = {std::string(kSite), "leader"},
                                              .clock = clock,
                                              .find = [&](std::string_view name) {
                                                return store::MirroredLog{
                                                    name == kLog ? log->get() : nullptr,
                                                    snapshots->get()};
                                              }});
    io::Scope scope(machine.loop);
    Parts parts{clock, **log, **snapshots, server, scope};
    log_ = log->get();
    co_await Serve(machine, parts);
    log_ = nullptr;
  }
  if (log) co_await (*log)->Close();
  co_await (*clock_file)->Close();
}

io::Task<void> StoreLeader::Serve(io::sim::Machine& machine, Parts& parts) {
  auto replayed = co_await CatchUp(parts.log, parts.snapshots, state_, oracle_, "the leader");
  if (!replayed) {
    if (replayed.error().code != Errc::kCancelled &&
        machine.process.disk().faults.capacity_bytes == UINT64_MAX) {
      world_.Fail("the leader cannot replay its log: " + replayed.error().message);
    }
    co_return;
  }
  parts.scope.Spawn(Accept(machine, parts));
  parts.scope.Spawn(Follow(parts));
  parts.scope.Spawn(TakeSnapshots(machine, parts));
  for (int i = 0; i < kWriters; ++i) parts.scope.Spawn(Write(machine, parts));
  co_await parts.scope.Join();
}

io::Task<void> StoreLeader::Accept(io::sim::Machine& machine, Parts& parts) {
  auto listener = machine.network.Listen({StoreAddress(0), kMirrorPort}, {});
  if (!listener) co_return;
  for (;;) {
    auto stream = co_await (*listener)->Accept();
    if (!stream) co_return;
    parts.scope.Spawn(ServeOne(parts.server, std::move(*stream)));
  }
}

io::Task<void> StoreLeader::Write(io::sim::Machine& machine, Parts& parts) {
  for (;;) {
    if (!co_await io::Sleep(milliseconds{machine.random.Below(60)})) co_return;
    auto stamp = parts.clock.Now();
    if (!writing_ || !stamp) continue;
    std::string body =
        fmt::format("{} {}", ++written_, std::string(machine.random.Below(kMaxBodyBytes), 'x'));
    auto end = parts.log.Append({.body = AsBytes(body), .time = *stamp});
    if (!end || machine.random.Chance(0.3)) continue;
    auto durable = co_await parts.log.Durable(*end);
    if (!durable && durable.error().code == Errc::kCancelled) co_return;
    if (!durable) continue;
    oracle_.Acknowledged(0, *end);
    oracle_.SawDurable("the writer", *end - 1, body);
  }
}

io::Task<void> StoreLeader::Follow(Parts& parts) {
  for (;;) {
    auto more = co_await parts.log.Durable(state_.end_offset + 1);
    if (!more && !co_await io::Sleep(milliseconds{100})) co_return;
    if (!co_await CatchUp(parts.log, parts.snapshots, state_, oracle_, "the leader")) co_return;
  }
}

io::Task<void> StoreLeader::TakeSnapshots(io::sim::Machine& machine, Parts& parts) {
  while (co_await io::Sleep(milliseconds{500 + machine.random.Below(1500)})) {
    StoreState state = state_;
    if (parts.snapshots.newest() && parts.snapshots.newest()->end_offset >= state.end_offset)
      continue;
    auto saved = co_await SaveState(parts.snapshots, parts.log, state, parts.clock.Present());
    if (saved) parts.log.SetRetention({.released_before = state.end_offset});
    if (saved) (void)co_await parts.log.ApplyRetention();
  }
}

io::Task<void> StoreFollower::Run(io::sim::Machine& machine) {
  FaultyDisk disk(machine.disk, SyncFaultsOf(bug_));
  HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
  auto clock_file = co_await store::ClockFile::Open(machine.loop, disk, clock, {.folder = "state"});
  if (!clock_file) co_return;
  auto copy = co_await store::Log::Open(machine.loop, disk, OptionsOf(0));
  auto snapshots = co_await store::Snapshots::Open(disk, "snapshots");
  if (copy && snapshots) {
    state_ = {};
    const auto& newest = (*snapshots)->newest();
    oracle_.Started(machine_,
                    std::max((*copy)->durable_end_offset(), newest ? newest->end_offset : 0));
    std::string name = fmt::format("follower-{}", machine_);
    auto dial = [&](TimePoint deadline) {
      return machine.network.Connect({StoreAddress(0), kMirrorPort}, {.deadline = deadline});
    };
    store::MirrorClient client(machine.loop,
                               {.identity = {std::string(kSite), name},
                                .source = "leader",
                                .log = std::string(kLog),
                                .clock = clock,
                                .clock_file = clock_file->get(),
                                .seed = machine.random.Next()},
                               **copy, **snapshots, dial);
    io::Scope scope(machine.loop);
    scope.Spawn(client.Run());
    scope.Spawn(Apply(**copy, **snapshots, name));
    co_await scope.Join();
  }
  if (copy) co_await (*copy)->Close();
  co_await (*clock_file)->Close();
}

io::Task<void> StoreFollower::Apply(store::Log& copy, store::Snapshots& snapshots,
                                    std::string_view who) {
  for (;;) {
    if (!co_await io::Sleep(milliseconds{20})) co_return;
    auto applied = co_await CatchUp(copy, snapshots, state_, oracle_, who);
    if (!applied && applied.error().code == Errc::kCancelled) co_return;
    // Between a snapshot and the start of the copy after it there may be no record.
  }
}

}  // namespace meridian::sim
