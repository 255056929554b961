// A source and a follower on two machines: MirrorServer and MirrorClient.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

constexpr uint64_t kOtherLogId = 8;
const Endpoint kSourceAt{IpAddress::V4(10, 0, 0, 1), 26379};

class MirrorTest : public testing::Test {
 protected:
  static LogOptions Small(uint64_t id) {
    return {.folder = "log", .id = id, .segment_bytes = kMinSegmentBytes, .headroom_bytes = 0};
  }

  Task<void> RunSource(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto log = co_await Log::Open(machine.loop, machine.disk, Small(7));
    auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots");
    CHECK(log && snapshots);
    auto find = [&](std::string_view name) {
      auto make_snapshot = [this] { return make_snapshot_(); };
      if (name != "session") return MirroredLog{};
      if (make_snapshot_) return MirroredLog{log->get(), snapshots->get(), make_snapshot};
      return MirroredLog{log->get(), snapshots->get()};
    };
    MirrorServer server(
        machine.loop, {.identity = {"photos", "us-east"},
                       .clock = clock,
                       .find = find,
                       .on_fenced = [this](std::string_view) { ++fenced_; },
                       .has_received = has_received_,
                       .on_joined = [this](std::string_view name) { joined_.emplace_back(name); }});
    io::Scope scope(machine.loop);
    source_ = log->get();
    source_snapshots_ = snapshots->get();
    server_ = &server;
    if (before_serving_) co_await before_serving_();
    auto listener = machine.network.Listen(kSourceAt, {});
    CHECK(listener);
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) break;
      scope.Spawn(server.Serve(std::move(*stream), [this](std::string_view data_center) {
        return data_center == allowed_;
      }));
    }
    scope.Cancel();
    co_await scope.Join();
    server_ = nullptr;
    source_ = nullptr;
    co_await (*log)->Close();
  }

  Task<void> RunFollower(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto copy = co_await Log::Open(machine.loop, machine.disk, Small(0));
    auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots");
    CHECK(copy && snapshots);
    auto dial = [&](TimePoint deadline) {
      ++dials_;
      return machine.network.Connect(kSourceAt, {.deadline = deadline});
    };
    MirrorClient client(machine.loop,
                        {.identity = {site_, "us-west"},
                         .source = "us-east",
                         .log = log_name_,
                         .min_epoch = min_epoch_,
                         .clock = clock,
                         .before_snapshot = before_snapshot_,
                         .own_offset = own_offset_},
                        **copy, **snapshots, dial);
    copy_ = copy->get();
    client_ = &client;
    if (before_following_) co_await before_following_();
    io::Scope scope(machine.loop);
    scope.Spawn(client.Run());
    co_await scope.Join();
    client_ = nullptr;
    copy_ = nullptr;
    co_await (*copy)->Close();
  }

  // The source has written 300 records, and the first 290 are gone from its log.
  Task<void> KeepOnlyTheLastRecords() {
    for (int i = 0; i < 300; ++i) {
      CHECK(source_->Append({.body = AsBytes("body")}));
      if (i % 10 == 9) CHECK(co_await source_->Durable(source_->end_offset()));
    }
    source_->SetRetention({.released_before = 290});
    CHECK(co_await source_->ApplyRetention());
  }
  Task<void> WriteSnapshotBelow290() {
    auto writer = co_await source_snapshots_->Begin({.log_id = 7, .end_offset = 290, .epoch = 0});
    CHECK(co_await (*writer)->Add(AsBytes("all below 290")));
    CHECK(co_await (*writer)->Commit());
  }

  void StartSource() {
    source_process_ = &world_.AddProcess({.name = "source", .address = kSourceAt.address},
                                         [this](Machine& machine) { return RunSource(machine); });
  }
  void StartFollower(Duration skew = {}) {
    follower_process_ = &world_.AddProcess(
        {.name = "follower", .address = IpAddress::V4(10, 0, 0, 2), .wall_skew = skew},
        [this](Machine& machine) { return RunFollower(machine); });
  }
  void Start() {
    StartSource();
    StartFollower();
    world_.RunFor(seconds{2});
  }
  void ServeAfter(Duration pause) {
    before_serving_ = [pause]() -> Task<void> { (void)co_await io::Sleep(pause); };
    StartSource();
    StartFollower();
  }
  void Append(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(source_->Append({.body = AsBytes("body")}));
    world_.RunFor(seconds{2});
  }
  void SetLatency(Duration there, Duration back) {
    world_.fabric().link(0, 1).latency = there;
    world_.fabric().link(1, 0).latency = back;
  }
  void Cut(bool cut) { world_.fabric().CutBothWays(0, 1, cut); }
  // Before anything that the processes refer to goes.
  void TearDown() override { world_.End(); }

  std::string site_ = "photos";
  std::string log_name_ = "session";
  std::string allowed_ = "us-west";
  uint32_t min_epoch_ = 0;
  int64_t dials_ = 0;
  std::function<Task<Result<void>>()> before_snapshot_;
  std::function<bool(std::string_view, uint64_t)> has_received_;
  std::function<uint64_t()> own_offset_;
  int fenced_ = 0;
  std::vector<std::string> joined_;
  std::function<Task<Result<void>>()> make_snapshot_;
  std::function<Task<void>()> before_serving_;
  std::function<Task<void>()> before_following_;
  Log* source_ = nullptr;
  Snapshots* source_snapshots_ = nullptr;
  MirrorServer* server_ = nullptr;
  Log* copy_ = nullptr;
  MirrorClient* client_ = nullptr;
  io::sim::World world_{1};
  io::sim::SimProcess* source_process_ = nullptr;
  io::sim::SimProcess* follower_process_ = nullptr;
};

TEST_F(MirrorTest, CopyHoldsTheSameAtTheSameOffsetsAndTakesTheId) {
  Start();
  Append(500);
  EXPECT_EQ(copy_->durable_end_offset(), 500U);
  EXPECT_EQ(copy_->id(), 7U);
  EXPECT_EQ(client_->lag_records(), 0U);
  EXPECT_EQ(client_->lag(), Duration::zero());
  EXPECT_TRUE(client_->connected());
  EXPECT_EQ(server_->followers("session").at("us-west").acknowledged, 500U);
  EXPECT_EQ(server_->CountWith("session", 500), 1U);
  EXPECT_EQ(server_->CountWith("session", 501), 0U);
  EXPECT_TRUE(server_->followers("other").empty());
}

TEST_F(MirrorTest, CopyCountsOnceTheFollowersOwnLogWasReceivedAsFarAsItSays) {
  uint64_t received = 6;
  own_offset_ = [] { return uint64_t{7}; };
  has_received_ = [&received](std::string_view follower, uint64_t own_offset) {
    EXPECT_EQ(follower, "us-west");
    return received >= own_offset;
  };
  Start();
  Append(10);
  EXPECT_EQ(server_->followers("session").at("us-west").acknowledged, 10U);
  EXPECT_EQ(server_->CountWith("session", 10), 0U);
  received = 7;
  EXPECT_EQ(server_->CountWith("session", 10), 1U);
}

// A latency of 150 ms was reported as a clock that is 150 ms behind.
TEST_F(MirrorTest, LatencyOfALinkIsNoDifferenceOfClocks) {
  StartSource();
  StartFollower();
  SetLatency(milliseconds{150}, milliseconds{150});
  world_.RunFor(seconds{3});
  for (int i = 0; i < 2; ++i) {  // heartbeats; records
    ASSERT_TRUE(client_->clock_offset());
    EXPECT_LT(std::chrono::abs(client_->clock_offset()->offset), milliseconds{5});
    EXPECT_GE(client_->clock_offset()->error, milliseconds{150});
    EXPECT_LT(client_->clock_offset()->error, milliseconds{160});
    Append(100);
  }
  Cut(true);
  world_.RunFor(2 * kMaxMirrorSilence);
  EXPECT_FALSE(client_->clock_offset());
}

TEST_F(MirrorTest, DifferenceOfClocksIsEstimatedWithItsError) {
  StartSource();
  StartFollower(seconds{2});
  SetLatency(milliseconds{100}, milliseconds{20});
  world_.RunFor(seconds{3});
  ASSERT_TRUE(client_->clock_offset());
  Duration wrong = client_->clock_offset()->offset + seconds{2};
  EXPECT_LE(std::chrono::abs(wrong), client_->clock_offset()->error);
  EXPECT_GT(client_->clock_offset()->error, milliseconds{50});
}

TEST_F(MirrorTest, FollowerGoesOnAfterACutOfAnyLengthAndShowsItsLag) {
  Start();
  Append(10);
  Cut(true);
  Append(10);
  world_.RunFor(seconds{60});
  EXPECT_FALSE(client_->connected());
  EXPECT_GT(client_->lag(), seconds{55});
  EXPECT_FALSE(server_->followers("session").at("us-west").connected);
  EXPECT_EQ(copy_->durable_end_offset(), 10U);
  Cut(false);
  world_.RunFor(2 * kMaxRedial);
  EXPECT_EQ(copy_->durable_end_offset(), 20U);
  EXPECT_EQ(client_->lag(), Duration::zero());
}

TEST_F(MirrorTest, FollowerThatWasAwayLongGetsASnapshotAndTheRecordsAfterIt) {
  before_serving_ = [this]() -> Task<void> {
    co_await WriteSnapshotBelow290();
    co_await KeepOnlyTheLastRecords();
  };
  Start();
  EXPECT_GT(source_->begin_offset(), 0U);
  EXPECT_EQ(copy_->begin_offset(), 290U);
  EXPECT_EQ(copy_->durable_end_offset(), 300U);
  EXPECT_EQ(server_->followers("session").at("us-west").acknowledged, 300U);
}

// Writes that it had applied from the copy, and that the source's snapshot lacked, were lost by a
// crash.
TEST_F(MirrorTest, SnapshotReplacesACopyWhenItsOwnerIsReady) {
  before_following_ = [this]() -> Task<void> {
    CHECK(co_await copy_->StartOver(0, 7));
    CHECK(copy_->Append({.body = AsBytes("body")}));
    CHECK(co_await copy_->Durable(1));
  };
  before_serving_ = [this]() -> Task<void> {
    co_await WriteSnapshotBelow290();
    co_await KeepOnlyTheLastRecords();
  };
  std::vector<uint64_t> copy_ends;
  before_snapshot_ = [&]() -> Task<Result<void>> {
    copy_ends.push_back(copy_->end_offset());
    if (copy_ends.size() == 1) co_return Fail(Errc::kUnavailable, "the disk is full");
    co_return Result<void>{};
  };
  Start();
  EXPECT_EQ(copy_ends, (std::vector<uint64_t>{1, 1}));
  EXPECT_EQ(copy_->begin_offset(), 290U);
  EXPECT_EQ(copy_->durable_end_offset(), 300U);
}

// It began with the log, and what others had deleted since came back to it.
TEST_F(MirrorTest, NewFollowerStartsFromASnapshotMadeAfterItConnected) {
  int renewals = 0;
  before_serving_ = [this]() -> Task<void> {
    for (int i = 0; i < 10; ++i) CHECK(source_->Append({.body = AsBytes("body")}));
    CHECK(co_await source_->Durable(10));
  };
  make_snapshot_ = [this, &renewals]() -> Task<Result<void>> {
    ++renewals;
    if (!co_await io::Sleep(3 * kMaxMirrorSilence)) co_return Fail(Errc::kCancelled, "renewing");
    auto writer = co_await source_snapshots_->Begin({.log_id = 7, .end_offset = 10, .epoch = 0});
    CHECK(co_await (*writer)->Add(AsBytes("all below 10")));
    co_return co_await (*writer)->Commit();
  };
  Start();
  world_.RunFor(2 * kMaxMirrorSilence);
  EXPECT_TRUE(client_->connected()) << "it hears that the source lives";
  EXPECT_EQ(copy_->end_offset(), 0U);
  world_.RunFor(2 * kMaxMirrorSilence);
  EXPECT_EQ(copy_->begin_offset(), 10U);
  world_.fabric().ResetConnections(0, 1);
  Append(1);
  EXPECT_EQ(copy_->durable_end_offset(), 11U);
  EXPECT_EQ(renewals, 1) << "who has something goes on where it was";
}

TEST_F(MirrorTest, NewFollowerIsNotServedWithoutASnapshot) {
  make_snapshot_ = []() -> Task<Result<void>> {
    co_return Fail(Errc::kUnavailable, "the disk is full");
  };
  Start();
  Append(10);
  EXPECT_EQ(copy_->end_offset(), 0U);
}

// A reconnection said where the copy ends, which the source took for an acknowledgement.
TEST_F(MirrorTest, ReconnectionDoesNotAcknowledgeRecordsThatAFullDiskRefused) {
  Start();
  Append(10);
  follower_process_->disk().faults.capacity_bytes = follower_process_->disk().used_bytes();
  Append(10);
  world_.fabric().ResetConnections(0, 1);
  world_.RunFor(3 * kMaxRedial);
  EXPECT_EQ(copy_->durable_end_offset(), 10U);
  EXPECT_EQ(server_->followers("session").at("us-west").acknowledged, 10U);
  follower_process_->disk().faults.capacity_bytes = UINT64_MAX;
  world_.RunFor(3 * kMaxRedial);
  EXPECT_EQ(copy_->durable_end_offset(), 20U);
  EXPECT_EQ(server_->followers("session").at("us-west").acknowledged, 20U);
}

// It ended the connection, dialled and was welcomed twice a second, with five lines of the log.
TEST_F(MirrorTest, FollowerWithAFullDiskKeepsItsConnection) {
  Start();
  Append(10);
  follower_process_->disk().faults.capacity_bytes = follower_process_->disk().used_bytes();
  int64_t dials = dials_;
  Append(10);  // these find out
  Append(10);
  world_.RunFor(seconds{60});
  EXPECT_EQ(dials_, dials);
  EXPECT_TRUE(client_->connected());
  EXPECT_EQ(copy_->end_offset(), 20U);
  EXPECT_EQ(copy_->durable_end_offset(), 10U);
  EXPECT_GT(client_->lag(), seconds{50});
  follower_process_->disk().faults.capacity_bytes = UINT64_MAX;
  world_.RunFor(seconds{30});
  EXPECT_EQ(copy_->durable_end_offset(), 30U);
  EXPECT_EQ(dials_, dials);
}

// The part that had come filled the disk, and stayed, so that there never was room again.
TEST_F(MirrorTest, FollowerWithoutRoomForASnapshotWaitsWithAnEmptyDiskAndSaysWhy) {
  before_serving_ = [this]() -> Task<void> {
    co_await KeepOnlyTheLastRecords();
    auto writer = co_await source_snapshots_->Begin({.log_id = 7, .end_offset = 290});
    std::string item(1 << 20, 'x');
    for (int i = 0; i < 8; ++i) CHECK(co_await (*writer)->Add(AsBytes(item)));
    CHECK(co_await (*writer)->Commit());
  };
  StartSource();
  StartFollower();
  io::sim::DiskImage& disk = follower_process_->disk();
  constexpr uint64_t kReserve = kHeadroomBytes / kSnapshotReserveShare;
  disk.faults.capacity_bytes = kReserve + (4 << 20);
  world_.RunFor(seconds{30});
  EXPECT_LT(disk.used_bytes(), 10'000U);
  EXPECT_TRUE(client_->connected());
  EXPECT_NE(client_->problem().find("no room for"), std::string::npos) << client_->problem();
  EXPECT_LE(dials_, 2);  // the first may come before the source listens
  disk.faults.capacity_bytes = kReserve + (20 << 20);
  world_.RunFor(seconds{5});
  EXPECT_EQ(copy_->durable_end_offset(), 300U);
  EXPECT_EQ(client_->problem(), "");
}

TEST_F(MirrorTest, WithoutASnapshotRemovedRecordsAreOutOfReach) {
  before_serving_ = [this] { return KeepOnlyTheLastRecords(); };
  Start();
  EXPECT_FALSE(client_->connected());
  EXPECT_EQ(copy_->end_offset(), 0U);
}

// Which of the three is wrong.
class WrongPeerTest : public MirrorTest, public testing::WithParamInterface<int> {};

TEST_P(WrongPeerTest, OtherSiteCertificateOrLogIsRefused) {
  std::string* names[] = {&site_, &allowed_, &log_name_};
  *names[GetParam()] = "wrong";
  Start();
  EXPECT_FALSE(client_->connected());
  EXPECT_TRUE(server_->followers("session").empty());
}

INSTANTIATE_TEST_SUITE_P(Mirror, WrongPeerTest, testing::Values(0, 1, 2));

// Only the logs said why.
TEST_F(MirrorTest, BothEndsKnowWhyAFollowerIsRefusedUntilItIsServed) {
  before_following_ = [this]() -> Task<void> { (void)co_await copy_->StartOver(0, kOtherLogId); };
  Start();
  EXPECT_FALSE(client_->connected());
  ASSERT_TRUE(client_->refusal());
  EXPECT_EQ(client_->refusal()->reason, RefusalReason::kOtherLog);
  EXPECT_TRUE(client_->problem().starts_with("refused by the source (another log)"));
  ASSERT_NE(server_->RefusalOf("session", "us-west"), nullptr);
  EXPECT_EQ(server_->RefusalOf("session", "us-west")->reason, RefusalReason::kOtherLog);
  EXPECT_EQ(server_->RefusalOf("session", "eu-west"), nullptr);

  Cut(true);
  world_.RunFor(seconds{20});
  EXPECT_FALSE(client_->refusal()) << "it could not be asked";
  EXPECT_FALSE(client_->problem().empty());
  Cut(false);
  follower_process_->Crash(io::sim::CrashKind::kProcess);
  before_following_ = [this]() -> Task<void> { (void)co_await copy_->StartOver(0, 7); };
  follower_process_->Restart();
  world_.RunFor(seconds{2});
  EXPECT_TRUE(client_->connected());
  EXPECT_FALSE(client_->refusal());
  EXPECT_EQ(client_->problem(), "");
  EXPECT_EQ(server_->RefusalOf("session", "us-west"), nullptr);
}

TEST_F(MirrorTest, StrangersAreNotRememberedAsRefusedFollowers) {
  allowed_ = "eu-west";
  Start();
  ASSERT_TRUE(client_->refusal());
  EXPECT_EQ(client_->refusal()->reason, RefusalReason::kNotAllowed);
  EXPECT_EQ(server_->RefusalOf("session", "us-west"), nullptr);
}

TEST_F(MirrorTest, FollowerWithAClockFromTheFutureIsRefused) {
  StartSource();
  StartFollower(kMaxClockSkew + seconds{1});
  world_.RunFor(seconds{5});
  EXPECT_FALSE(client_->connected());
  EXPECT_TRUE(server_->followers("session").empty());
}

TEST_F(MirrorTest, SourceWithAClockFromTheFutureIsRefused) {
  StartSource();
  StartFollower(-kMaxClockSkew - seconds{1});
  world_.RunFor(seconds{5});
  EXPECT_FALSE(client_->connected());
}

TEST_F(MirrorTest, SourceThatWasReplacedIsFencedAndHearsOfIt) {
  min_epoch_ = 5;
  before_serving_ = [this]() -> Task<void> {
    source_->RaiseEpoch(4);
    co_return;
  };
  Start();
  EXPECT_FALSE(client_->connected());
  EXPECT_GT(fenced_, 0);
  source_->RaiseEpoch(5);
  world_.RunFor(2 * kMaxRedial);
  EXPECT_TRUE(client_->connected());
}

// It took up to five seconds: the pause between attempts grew while the cut lasted.
TEST_F(MirrorTest, SourceThatIsBackAfterLongIsFollowedWithinASecond) {
  ServeAfter(seconds{60});
  world_.RunFor(seconds{60});
  EXPECT_FALSE(client_->connected());
  world_.RunFor(kMaxRedial + milliseconds{100});
  EXPECT_TRUE(client_->connected());
  static_assert(kMaxRedial <= seconds{1});
}

TEST_F(MirrorTest, FollowerThatIsHurriedDialsAtOnce) {
  ServeAfter(seconds{60});
  world_.RunFor(seconds{60} + milliseconds{100});
  ASSERT_FALSE(client_->connected());
  client_->RedialNow();
  world_.RunFor(milliseconds{50});
  EXPECT_TRUE(client_->connected());
}

// Two that hurried each other and failed did so as fast as the network let them.
TEST_F(MirrorTest, FollowerThatIsHurriedAllTheTimeDialsTwentyTimesASecondAtMost) {
  allowed_ = "wrong";
  Start();
  dials_ = 0;
  for (int i = 0; i < 1000; ++i) {
    client_->RedialNow();
    world_.RunFor(milliseconds{1});
  }
  EXPECT_LE(dials_, seconds{1} / kMinRedial + 1);
  EXPECT_GT(dials_, 10);
}

TEST_F(MirrorTest, SourceReportsFollowersThatJoined) {
  Start();
  EXPECT_EQ(joined_, std::vector<std::string>{"us-west"});
}

TEST_F(MirrorTest, SourceIsFencedWhileItIsFollowed) {
  Start();
  client_->RaiseLeastEpoch(1);
  world_.RunFor(seconds{2});
  EXPECT_FALSE(client_->connected());
  EXPECT_GT(fenced_, 0);
}

TEST_F(MirrorTest, CopyThatHoldsMoreThanTheLogIsRefusedAndKeepsWhatItHas) {
  before_following_ = [this]() -> Task<void> {
    CHECK(co_await copy_->StartOver(0, 7));
    CHECK(copy_->Append({.body = AsBytes("of a lost log")}));
    CHECK(co_await copy_->Durable(1));
  };
  Start();
  EXPECT_FALSE(client_->connected());
  EXPECT_EQ(copy_->durable_end_offset(), 1U);
}

TEST_F(MirrorTest, AwaitFollowersReturnsTheNumberThatAcknowledged) {
  size_t with_one = 99;
  size_t with_two = 99;
  Start();
  auto wait = [&](Machine& machine) -> Task<void> {
    CHECK(source_->Append({.body = AsBytes("body")}));
    with_one = co_await server_->AwaitFollowers("session", 1, 1, machine.loop.After(seconds{1}));
    with_two = co_await server_->AwaitFollowers("session", 1, 2, machine.loop.After(seconds{1}));
  };
  // On a loop of its own: both stand in one thread.
  world_.AddProcess({.name = "waiter", .address = IpAddress::V4(10, 0, 0, 3)}, wait);
  world_.RunFor(seconds{5});
  EXPECT_EQ(with_one, 1U);
  EXPECT_EQ(with_two, 1U);
}

}  // namespace
}  // namespace meridian::store
