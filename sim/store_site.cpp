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
#include "io/file/disk.hpp"
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
#include "store/mirror/mirror_connection.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kSite = "photos";
constexpr int kWriters = 2;  // of each log
constexpr uint64_t kMaxBodyBytes = 900;

SyncFaults SyncFaultsOf(PlantedBug bug) {
  return {.files = bug == PlantedBug::kSyncsNothing,
          .folders = bug == PlantedBug::kForgetsFolderSyncs};
}

store::LogOptions OptionsOf(size_t log, uint64_t id) {
  return {.folder = std::string(kStoreLogs[log]),
          .id = id,
          .segment_bytes = store::kMinSegmentBytes,
          .headroom_bytes = 0};
}

std::string SnapshotFolderOf(size_t log) { return std::string(kStoreLogs[log]) + "-snapshots"; }

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
  world_.Fail(fmt::format("{} has another record of {} at offset {} than was durable before", who,
                          log_, offset));
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
  world_.Fail(fmt::format("machine {} starts with all of {} below {} and had acknowledged {}",
                          machine, log_, end_offset, acknowledged(machine)));
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

struct StoreLeader::OwnLog {
  std::unique_ptr<store::Log> log;
  std::unique_ptr<store::Snapshots> snapshots;
  StoreState& state;
  StoreOracle& oracle;
};

struct StoreLeader::Parts {
  HybridClock& clock;
  std::vector<OwnLog>& logs;
  store::MirrorServer& server;
  io::Scope& scope;
};

io::Task<bool> StoreLeader::OpenLogs(io::sim::Machine& machine, io::Disk& disk,
                                     std::vector<OwnLog>& logs) {
  for (size_t i = 0; i < kStoreLogs.size(); ++i) {
    auto log = co_await store::Log::Open(machine.loop, disk, OptionsOf(i, 4711 + i));
    if (!log) co_return false;
    logs.push_back({std::move(*log), nullptr, states_[i], oracles_[i]});
    auto snapshots = co_await store::Snapshots::Open(disk, SnapshotFolderOf(i));
    if (!snapshots) co_return false;
    logs.back().snapshots = std::move(*snapshots);
  }
  co_return true;
}

io::Task<void> StoreLeader::Run(io::sim::Machine& machine) {
  FaultyDisk disk(machine.disk, SyncFaultsOf(bug_));
  HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
  auto clock_file = co_await store::ClockFile::Open(machine.loop, disk, clock, {.folder = "state"});
  if (!clock_file) co_return;
  std::vector<OwnLog> logs;
  if (co_await OpenLogs(machine, disk, logs)) {
    for (size_t i = 0; i < logs.size(); ++i) {
      states_[i] = {};
      if (!logs[i].log->recovery().damaged.empty())
        world_.Fail("the leader's log is damaged by a crash");
      oracles_[i].Started(0, logs[i].log->durable_end_offset());
      logs_[i] = logs[i].log.get();
    }
    auto find = [&](std::string_view name) {
      for (size_t i = 0; i < logs.size(); ++i) {
        if (name == kStoreLogs[i])
          return store::MirroredLog{logs[i].log.get(), logs[i].snapshots.get()};
      }
      return store::MirroredLog{};
    };
    store::MirrorServer server(
        machine.loop, {.identity = {std::string(kSite), "leader"}, .clock = clock, .find = find});
    io::Scope scope(machine.loop);
    Parts parts{clock, logs, server, scope};
    co_await Serve(machine, parts);
    logs_ = {};
  }
  for (OwnLog& own : logs) co_await own.log->Close();
  co_await (*clock_file)->Close();
}

io::Task<void> StoreLeader::Serve(io::sim::Machine& machine, Parts& parts) {
  for (OwnLog& own : parts.logs) {
    auto replayed = co_await CatchUp(*own.log, *own.snapshots, own.state, own.oracle, "the leader");
    if (replayed) continue;
    if (replayed.error().code != Errc::kCancelled &&
        machine.process.disk().faults.capacity_bytes == UINT64_MAX) {
      world_.Fail("the leader cannot replay its log: " + replayed.error().message);
    }
    co_return;
  }
  parts.scope.Spawn(Accept(machine, parts));
  for (OwnLog& own : parts.logs) {
    parts.scope.Spawn(Follow(own));
    parts.scope.Spawn(TakeSnapshots(machine, parts, own));
    for (int i = 0; i < kWriters; ++i) parts.scope.Spawn(Write(machine, parts, own));
  }
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

io::Task<void> StoreLeader::Write(io::sim::Machine& machine, Parts& parts, OwnLog& own) {
  for (;;) {
    if (!co_await io::Sleep(milliseconds{machine.random.Below(60)})) co_return;
    auto stamp = parts.clock.Now();
    if (!writing_ || !stamp) continue;
    std::string body =
        fmt::format("{} {}", ++written_, std::string(machine.random.Below(kMaxBodyBytes), 'x'));
    auto end = own.log->Append({.body = AsBytes(body), .time = *stamp});
    if (!end || machine.random.Chance(0.3)) continue;
    auto durable = co_await own.log->Durable(*end);
    if (!durable && durable.error().code == Errc::kCancelled) co_return;
    if (!durable) continue;
    own.oracle.Acknowledged(0, *end);
    own.oracle.SawDurable("the writer", *end - 1, body);
  }
}

io::Task<void> StoreLeader::Follow(OwnLog& own) {
  for (;;) {
    auto more = co_await own.log->Durable(own.state.end_offset + 1);
    if (!more && !co_await io::Sleep(milliseconds{100})) co_return;
    if (!co_await CatchUp(*own.log, *own.snapshots, own.state, own.oracle, "the leader")) co_return;
  }
}

io::Task<void> StoreLeader::TakeSnapshots(io::sim::Machine& machine, Parts& parts, OwnLog& own) {
  while (co_await io::Sleep(milliseconds{500 + machine.random.Below(1500)})) {
    StoreState state = own.state;
    const auto& newest = own.snapshots->newest();
    if (newest && newest->end_offset >= state.end_offset) continue;
    auto saved = co_await SaveState(*own.snapshots, *own.log, state, parts.clock.Present());
    if (saved) own.log->SetRetention({.released_before = state.end_offset});
    if (saved) (void)co_await own.log->ApplyRetention();
  }
}

struct StoreFollower::Copy {
  std::unique_ptr<store::Log> log;
  std::unique_ptr<store::Snapshots> snapshots;
  std::unique_ptr<store::MirrorClient> client;
};

io::Task<bool> StoreFollower::OpenCopies(io::sim::Machine& machine, io::Disk& disk,
                                         std::vector<Copy>& copies) {
  for (size_t i = 0; i < kStoreLogs.size(); ++i) {
    store::LogOptions options = OptionsOf(i, 0);
    options.headroom_bytes = 1;
    auto log = co_await store::Log::Open(machine.loop, disk, options);
    if (!log) co_return false;
    copies.push_back({std::move(*log), nullptr, nullptr});
    auto snapshots = co_await store::Snapshots::Open(disk, SnapshotFolderOf(i));
    if (!snapshots) co_return false;
    copies.back().snapshots = std::move(*snapshots);
  }
  co_return true;
}

io::Task<void> StoreFollower::Run(io::sim::Machine& machine) {
  SyncFaults faults = SyncFaultsOf(bug_);
  faults.full_folder = &full_folder_;
  FaultyDisk disk(machine.disk, faults);
  HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
  auto clock_file = co_await store::ClockFile::Open(machine.loop, disk, clock, {.folder = "state"});
  if (!clock_file) co_return;
  std::vector<Copy> copies;
  if (co_await OpenCopies(machine, disk, copies)) {
    co_await FollowAll(machine, **clock_file, clock, copies);
  }
  for (Copy& copy : copies) co_await copy.log->Close();
  co_await (*clock_file)->Close();
}

io::Task<void> StoreFollower::FollowAll(io::sim::Machine& machine, store::ClockFile& clock_file,
                                        HybridClock& clock, std::vector<Copy>& copies) {
  store::MirrorIdentity identity{std::string(kSite), fmt::format("follower-{}", machine_)};
  auto dial = [&](TimePoint deadline) {
    return machine.network.Connect({StoreAddress(0), kMirrorPort}, {.deadline = deadline});
  };
  store::MirrorConnection connection(
      machine.loop,
      {.identity = identity, .source = "leader", .clock = clock, .seed = machine.random.Next()},
      dial);
  io::Scope scope(machine.loop);
  for (size_t i = 0; i < copies.size(); ++i) {
    Copy& copy = copies[i];
    states_[i] = {};
    const auto& newest = copy.snapshots->newest();
    oracles_[i].Started(machine_,
                        std::max(copy.log->durable_end_offset(), newest ? newest->end_offset : 0));
    copy.client = std::make_unique<store::MirrorClient>(
        machine.loop,
        store::MirrorClientOptions{.identity = identity,
                                   .source = "leader",
                                   .log = std::string(kStoreLogs[i]),
                                   .clock = clock,
                                   .clock_file = &clock_file,
                                   .seed = machine.random.Next()},
        *copy.log, *copy.snapshots, connection);
    scope.Spawn(copy.client->Run());
    scope.Spawn(Apply(copy, i));
  }
  scope.Spawn(connection.Run());
  co_await scope.Join();
}

io::Task<void> StoreFollower::Apply(Copy& copy, size_t log) {
  std::string who = fmt::format("follower-{}", machine_);
  for (;;) {
    if (!co_await io::Sleep(milliseconds{20})) co_return;
    auto applied = co_await CatchUp(*copy.log, *copy.snapshots, states_[log], oracles_[log], who);
    if (!applied && applied.error().code == Errc::kCancelled) co_return;
    // Between a snapshot and the start of the copy after it there may be no record.
  }
}

}  // namespace meridian::sim
