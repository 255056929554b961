#include "sim/session_replica.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/data/snapshot_walk.hpp"
#include "session/engine/client.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"
#include "session/replication/disk_journal.hpp"
#include "session/replication/replication.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "sim/faulty_disk.hpp"
#include "sim/session_oracle.hpp"
#include "store/limits.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;

constexpr uint16_t kPeerPort = 26379;
constexpr int kWriters = 2;
constexpr uint64_t kRareKeys = 30;
constexpr uint64_t kMaxPauseMs = 120;
constexpr uint64_t kSnapshotLogBytes = 12'000;
constexpr uint64_t kWaitMs = 400;

IpAddress AddressOf(size_t replica) {
  return IpAddress::V4(10, 0, 0, static_cast<uint8_t>(1 + replica));
}

std::string NameOf(size_t replica) { return fmt::format("replica-{}", replica); }

std::string TextOf(session::Keyspace& keyspace, const session::Entry& entry) {
  std::string text;
  if (const session::Fields* fields = session::FieldsOf(&entry)) {
    std::set<std::string> all;
    fields->ForEach([&](const session::Field& field) {
      all.insert(fmt::format("{}={} ", field.key(), field.value()));
    });
    for (const std::string& each : all) text += each;
  } else if (const session::Members* members = session::MembersOf(&entry)) {
    std::set<std::string> all;
    members->ForEach([&](const session::Member& member) { all.emplace(member.key()); });
    text = " ";
    for (const std::string& each : all) text += each + " ";
  } else {
    text = keyspace.TextOf(entry);
  }
  return entry.expire_at_ms() == 0 ? text : fmt::format("{} until {}", text, entry.expire_at_ms());
}

}  // namespace

// A client with a connection in memory.
struct SessionReplica::InMemoryClient final : public session::ClientConnection {
  explicit InMemoryClient(session::Engine& engine)
      : engine(engine), client(engine.NextClientId(), *this) {
    client.authenticated = true;
    engine.AddClient(client);
  }
  virtual ~InMemoryClient() { engine.RemoveClient(client); }
  InMemoryClient(const InMemoryClient&) = delete;
  InMemoryClient& operator=(const InMemoryClient&) = delete;

  // False: the command was refused.
  bool Say(const std::vector<std::string>& words) {
    std::vector<std::string_view> arguments(words.begin(), words.end());
    engine.BeginBatch();
    engine.Execute(client, arguments);
    reply = std::string(client.output.text());
    client.output.Consume(client.output.size());
    return !reply.starts_with('-');
  }
  void OnMessages() override {}
  void Disconnect() override {}

  session::Engine& engine;
  session::Client client;
  std::string reply;
};

struct SessionReplica::Parts {
  session::DiskJournal& journal;
  session::Engine& engine;
  session::Replication& replication;
  io::Scope& scope;
};

Contents SessionReplica::ReadContents() const {
  Contents contents;
  session::Keyspace& keyspace = engine_->keyspace();
  keyspace.ForEach([&](const session::Entry& entry) {
    contents[std::string(entry.key())] = TextOf(keyspace, entry);
  });
  return contents;
}

size_t SessionReplica::Tombstones() const {
  const session::Keyspace& keyspace = engine_->keyspace();
  std::vector<std::string> items;
  session::SnapshotWalk walk;
  while (!walk.done()) keyspace.Snapshot(&walk, session::kSnapshotSlice, &items);
  // A flush adds one item.
  return items.size() - std::min(items.size(), keyspace.size() + (flushes() ? 1 : 0));
}

io::Task<void> SessionReplica::Run(io::sim::Machine& machine) {
  HybridClock clock(machine.loop.driver(), session::kMaxPeerClockSkew);
  FaultyDisk disk(machine.disk, {.files = options_.bug == SessionBug::kAnswersBeforeSync});
  auto journal = co_await session::DiskJournal::Open(machine.loop, disk, clock,
                                                     {.folder = "session",
                                                      .log_id = 100 * (disks_ + 1) + replica_,
                                                      .segment_bytes = store::kMinSegmentBytes,
                                                      .headroom_bytes = 0,
                                                      .snapshot_log_bytes = kSnapshotLogBytes,
                                                      .snapshot_memory_factor = 0});
  if (!journal) co_return;
  session::EngineOptions options;
  options.keyspace = {.replica_id = static_cast<uint8_t>(replica_),
                      .seed = machine.random.Next(),
                      .cache_prefix = "cache:",
                      .journaled = true};
  session::Engine engine({machine.loop.driver(), clock, **journal}, std::move(options));
  session::Replication::Options mirroring{
      .site = "photos", .here = replica_, .folder = "session", .seed = machine.random.Next()};
  for (size_t i = 0; i < options_.replicas; ++i) mirroring.data_centers.push_back(NameOf(i));
  mirroring.dial = [&machine](const std::string& name) {
    auto other = static_cast<size_t>(name.back() - '0');
    return [&machine, other](TimePoint deadline) {
      return machine.network.Connect({AddressOf(other), kPeerPort}, {.deadline = deadline});
    };
  };
  auto replication = co_await session::Replication::Open(
      {machine.loop, disk, clock, **journal, engine.keyspace()}, std::move(mirroring));
  if (replication) {
    io::Scope scope(machine.loop);
    Parts parts{**journal, engine, **replication, scope};
    Result<void> replayed = co_await (*replication)->Replay();
    if (options_.bug == SessionBug::kDropsTombstones)
      engine.keyspace().set_stability_horizon(HybridTime::Max());
    if (replayed) co_await Serve(machine, parts);
  }
  engine_ = nullptr;
  if (replication) co_await (*replication)->Close();
  co_await (*journal)->Close();
}

io::Task<void> SessionReplica::Serve(io::sim::Machine& machine, Parts& parts) {
  engine_ = &parts.engine;
  if (!flushes() && disks_ == 0) oracle_.CheckReplica(replica_, ReadContents());
  session::Replication& replication = parts.replication;
  parts.journal.StartSnapshots(
      {.begin = [&replication] { return replication.BeginSnapshot(); },
       .end = [&replication](
                  const session::SnapshotMetadata* written) { replication.EndSnapshot(written); }});
  replication.Start(nullptr);
  parts.scope.Spawn(Accept(machine, parts));
  parts.scope.Spawn(Sweep(parts));
  co_await replication.AwaitContact();
  for (int i = 0; i < kWriters; ++i) parts.scope.Spawn(Write(machine, parts));
  co_await parts.scope.Join();
}

io::Task<void> SessionReplica::Accept(io::sim::Machine& machine, Parts& parts) {
  auto listener = machine.network.Listen({AddressOf(replica_), kPeerPort}, {});
  if (!listener) co_return;
  for (;;) {
    auto stream = co_await (*listener)->Accept();
    if (!stream) co_return;
    parts.scope.Spawn(
        parts.replication.Serve(std::move(*stream), [](std::string_view) { return true; }));
  }
}

io::Task<void> SessionReplica::Sweep(Parts& parts) {
  while (co_await io::Sleep(session::kSweepPause)) (void)parts.engine.Sweep();
}

io::Task<void> SessionReplica::Write(io::sim::Machine& machine, Parts& parts) {
  InMemoryClient client(parts.engine);
  while (co_await io::Sleep(milliseconds{machine.random.Below(kMaxPauseMs)})) {
    if (writing_) co_await WriteOne(machine, parts, client);
  }
}

io::Task<void> SessionReplica::WriteOne(io::sim::Machine& machine, Parts& parts,
                                        InMemoryClient& client) {
  uint64_t what = machine.random.Below(10);
  std::string name;
  bool done = false;
  if (what == 0) {
    name = oracle_.NewKey("m");
    done = client.Say({"SADD", "log", name});
  } else if (what == 1 && !flushes()) {
    oracle_.Tried(1);
    done = client.Say({"INCR", "count"});
  } else if (what == 2) {
    name = SomeOnce(machine.random);
    done = client.Say({"DEL", name}) && client.reply == ":1\r\n";
  } else {
    WriteAnything(machine, client);
  }
  if (!done) co_return;
  uint64_t offset = client.client.awaited_offset;
  if (!co_await parts.journal.AwaitDurable(offset)) co_return;
  if (what == 1) oracle_.Counted(1);
  if (what == 2) oracle_.Deleted(name, replica_);
  if (what != 0 || flushes()) co_return;
  oracle_.Added(name, replica_, 0);
  if (machine.random.Chance(0.5)) co_return;
  size_t acknowledgements = co_await parts.replication.Await(
      offset, options_.replicas - 1, machine.loop.After(milliseconds{kWaitMs}));
  oracle_.Added(name, replica_, acknowledgements);
}

// One of the keys that are deleted once, or "once:0" if there is none.
std::string SessionReplica::SomeOnce(Random& random) const {
  Contents contents = ReadContents();
  auto found = contents.lower_bound("once:" + std::to_string(random.Below(100)));
  return found != contents.end() && found->first.starts_with("once:") ? found->first : "once:0";
}

// Runs a random command on keys that other data centers change as well.
void SessionReplica::WriteAnything(io::sim::Machine& machine, InMemoryClient& client) {
  Random& random = machine.random;
  std::string key(1, "abc"[random.Below(3)]);
  std::string name(1, "xyz"[random.Below(3)]);
  std::string brief = std::to_string(100 + random.Below(3000));
  // Written so rarely that what went wrong is not soon written over.
  std::string rare = "rare:" + std::to_string(random.Below(kRareKeys));
  switch (random.Below(flushes() ? 19 : 18)) {
    case 0:
      (void)client.Say({"SET", key, name});
      return;
    case 1:
      (void)client.Say({"SET", key, "5", "PX", brief});
      return;
    case 2:
      (void)client.Say({"INCRBY", key, "2"});
      return;
    case 3:
      (void)client.Say({"DEL", key});
      return;
    case 4:
    case 5:
      (void)client.Say({"HSET", key, name, brief});
      return;
    case 6:
      (void)client.Say({"HDEL", key, name});
      return;
    case 7:
    case 8:
      (void)client.Say({"SADD", key, name, brief});
      return;
    case 9:
      (void)client.Say({"SREM", key, name});
      return;
    case 10:
      (void)client.Say({"PEXPIRE", key, brief});
      return;
    case 11:
      (void)client.Say({"SET", oracle_.NewKey("brief:"), std::string(300, 'x'), "PX", brief});
      return;
    case 12:
      (void)client.Say({"SET", oracle_.NewKey("once:"), "v", "PX", "10000000"});
      return;
    case 13:
      (void)client.Say({"PEXPIRE", SomeOnce(random), "20000000"});
      return;
    case 14:
      (void)client.Say({"PERSIST", key});
      return;
    case 15:
      (void)client.Say({"INCRBY", rare, "2"});
      return;
    case 16:
      (void)client.Say({"DEL", rare});
      return;
    case 17:
      (void)client.Say({"PEXPIRE", rare, random.Chance(0.5) ? brief : "20000000"});
      return;
    default:
      if (random.Chance(0.1)) (void)client.Say({"FLUSHALL"});
  }
}

}  // namespace meridian::sim
