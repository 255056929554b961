// Several logs over one connection: MirrorServer and MirrorConnection, and each of them against a
// peer that speaks the protocol frame by frame.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/fiber.hpp"
#include "store/mirror/early_ends.hpp"
#include "store/mirror/frame_sender.hpp"
#include "store/mirror/frame_stream.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_connection.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

using std::chrono::minutes;

const Endpoint kSourceAt{IpAddress::V4(10, 0, 0, 1), 26379};
constexpr size_t kBodyBytes = size_t{64} * 1024;

class MirrorStreamsTest : public testing::Test {
 protected:
  struct Copy {
    std::unique_ptr<Log> log;
    std::unique_ptr<Snapshots> snapshots;
    std::unique_ptr<MirrorClient> client;
  };

  static LogOptions Options(std::string folder, uint64_t id) {
    return {.folder = std::move(folder), .id = id, .headroom_bytes = 0};
  }

  Task<void> RunSource(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    std::map<std::string, std::unique_ptr<Log>, std::less<>> logs;
    uint64_t id = 7;
    for (const char* name : {"session", "journal"}) {
      auto log = co_await Log::Open(machine.loop, machine.disk, Options(name, id++));
      CHECK(log);
      sources_[name] = log->get();
      logs[name] = std::move(*log);
    }
    auto find = [&](std::string_view name) {
      auto found = logs.find(name);
      return found == logs.end() ? MirroredLog{} : MirroredLog{found->second.get()};
    };
    MirrorServer server(machine.loop,
                        {.identity = {"photos", "us-east"}, .clock = clock, .find = find});
    server_ = &server;
    io::Scope scope(machine.loop);
    source_scope_ = &scope;
    auto listener = machine.network.Listen(kSourceAt, {});
    CHECK(listener);
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) break;
      scope.Spawn(server.Serve(std::move(*stream), [](std::string_view) { return true; }));
    }
    scope.Cancel();
    co_await scope.Join();
    server_ = nullptr;
    for (auto& [name, log] : logs) co_await log->Close();
  }

  Task<void> RunFollower(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto dial = [&](TimePoint deadline) {
      ++dials_;
      return machine.network.Connect(kSourceAt, {.deadline = deadline});
    };
    MirrorIdentity identity{"photos", "us-west"};
    MirrorConnection connection(machine.loop,
                                {.identity = identity, .source = "us-east", .clock = clock}, dial);
    connection_ = &connection;
    io::Scope scope(machine.loop);
    std::map<std::string, Copy> copies;
    for (const std::string& name : followed_) {
      Copy& copy = copies[name];
      auto log = co_await Log::Open(machine.loop, machine.disk, Options(name, 0));
      auto snapshots = co_await Snapshots::Open(machine.disk, name + "-snapshots");
      CHECK(log && snapshots);
      copy.log = std::move(*log);
      copy.snapshots = std::move(*snapshots);
      copy.client = std::make_unique<MirrorClient>(
          machine.loop,
          MirrorClientOptions{
              .identity = identity, .source = "us-east", .log = name, .clock = clock},
          *copy.log, *copy.snapshots, connection);
      scope.Spawn(copy.client->Run());
    }
    copies_ = &copies;
    scope.Spawn(connection.Run());
    co_await scope.Join();
    copies_ = nullptr;
    for (auto& [name, copy] : copies) co_await copy.log->Close();
  }

  void StartSource() {
    world_.AddProcess({.name = "source", .address = kSourceAt.address},
                      [this](Machine& machine) { return RunSource(machine); });
    world_.RunFor(milliseconds{10});  // until it listens
  }
  void Start() {
    StartSource();
    follower_ = &world_.AddProcess({.name = "follower", .address = IpAddress::V4(10, 0, 0, 2)},
                                   [this](Machine& machine) { return RunFollower(machine); });
    world_.RunFor(seconds{2});
  }
  // A peer in place of our own code; the source is host 0 in both cases.
  void StartPeer(IpAddress address, io::sim::Main main) {
    world_.AddProcess({.name = "peer", .address = address}, std::move(main));
  }
  void Append(const std::string& log, int count, size_t bytes = 10) {
    std::string body(bytes, 'x');
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(sources_.at(log)->Append({.body = AsBytes(body)}));
      if (bytes >= kBodyBytes) world_.RunFor(milliseconds{50});
    }
    world_.RunFor(seconds{1});
  }
  uint64_t HeldOf(const std::string& log) { return copies_->at(log).log->durable_end_offset(); }
  MirrorClient& ClientOf(const std::string& log) { return *copies_->at(log).client; }
  void TearDown() override { world_.End(); }

  std::vector<std::string> followed_ = {"session", "journal"};
  std::map<std::string, Log*> sources_;
  MirrorServer* server_ = nullptr;
  io::Scope* source_scope_ = nullptr;
  std::map<std::string, Copy>* copies_ = nullptr;
  MirrorConnection* connection_ = nullptr;
  int dials_ = 0;
  io::sim::World world_{1};
  io::sim::SimProcess* follower_ = nullptr;
};

TEST_F(MirrorStreamsTest, TwoLogsAreCopiedOverOneConnection) {
  Start();
  Append("session", 300);
  Append("journal", 200);
  EXPECT_EQ(HeldOf("session"), 300U);
  EXPECT_EQ(HeldOf("journal"), 200U);
  EXPECT_EQ(copies_->at("session").log->id(), 7U);
  EXPECT_EQ(copies_->at("journal").log->id(), 8U);
  EXPECT_EQ(server_->CountWith("session", 300), 1U);
  EXPECT_EQ(server_->CountWith("journal", 200), 1U);
  EXPECT_EQ(dials_, 1);
}

TEST_F(MirrorStreamsTest, RefusedStreamLeavesTheOtherRunningAndIsAskedForAgain) {
  followed_ = {"session", "missing"};
  Start();
  Append("session", 10);
  world_.RunFor(2 * kMaxMirrorSilence);
  EXPECT_EQ(HeldOf("session"), 10U);
  EXPECT_TRUE(ClientOf("session").connected());
  EXPECT_FALSE(ClientOf("missing").connected());
  ASSERT_TRUE(ClientOf("missing").refusal());
  EXPECT_EQ(ClientOf("missing").refusal()->reason, RefusalReason::kUnknownLog);
  EXPECT_EQ(ClientOf("session").problem(), "");
  EXPECT_EQ(server_->RefusalOf("session", "us-west"), nullptr);
  ASSERT_NE(server_->RefusalOf("missing", "us-west"), nullptr);
  EXPECT_EQ(dials_, 1);
}

TEST_F(MirrorStreamsTest, FollowerThatRefusesOneStreamKeepsTheOther) {
  Start();
  Append("session", 10);
  ClientOf("journal").RaiseLeastEpoch(1);
  Append("session", 10);
  EXPECT_FALSE(ClientOf("journal").connected());
  EXPECT_TRUE(ClientOf("session").connected());
  EXPECT_EQ(HeldOf("session"), 20U);
  sources_.at("journal")->RaiseEpoch(1);
  world_.RunFor(2 * kMaxRedial);
  EXPECT_TRUE(ClientOf("journal").connected());
  EXPECT_EQ(dials_, 1);
}

// The connection lived on, and the follower waited for ever.
TEST_F(MirrorStreamsTest, StreamWhoseLogCannotBeReadAnyMoreIsClosed) {
  Start();
  auto close = [this]() -> Task<void> { co_await sources_.at("journal")->Close(); };
  source_scope_->Spawn(close());
  world_.RunFor(milliseconds{100});
  EXPECT_FALSE(ClientOf("journal").connected());
  EXPECT_EQ(ClientOf("journal").problem(), "the source has closed the stream");
  Append("session", 10);
  EXPECT_EQ(HeldOf("session"), 10U);
  EXPECT_EQ(dials_, 1);
}

TEST_F(MirrorStreamsTest, RedialOpensAllStreamsAgain) {
  Start();
  Append("session", 10);
  world_.fabric().ResetConnections(0, 1);
  Append("session", 10);
  Append("journal", 10);
  EXPECT_EQ(dials_, 2);
  EXPECT_EQ(HeldOf("session"), 20U);
  EXPECT_EQ(HeldOf("journal"), 10U);
}

TEST_F(MirrorStreamsTest, AllStreamsAreDownWhileTheSourceCannotBeReachedAndSayWhy) {
  Start();
  world_.fabric().CutBothWays(0, 1, true);
  world_.RunFor(2 * kMaxMirrorSilence);
  for (const std::string& log : followed_) {
    EXPECT_FALSE(ClientOf(log).connected());
    EXPECT_NE(ClientOf(log).problem(), "");
    EXPECT_FALSE(server_->followers(log).at("us-west").connected);
  }
}

TEST_F(MirrorStreamsTest, ConnectionWithoutStreamsStaysUp) {
  followed_ = {};
  Start();
  world_.RunFor(3 * kMaxMirrorSilence);
  EXPECT_TRUE(connection_->up());
  EXPECT_EQ(dials_, 1);
}

// The whole frame had to arrive within 5 s, over and over.
TEST_F(MirrorStreamsTest, RecordOfTheLargestSizeCrossesASlowLink) {
  Start();
  world_.fabric().link(0, 1).bytes_per_second = 1'000'000;
  Append("session", 1, kMaxRecordBytes - 64);
  Append("session", 1);
  Append("journal", 1);
  world_.RunFor(seconds{12});
  EXPECT_EQ(HeldOf("session"), 2U);
  EXPECT_EQ(HeldOf("journal"), 1U);
  EXPECT_EQ(dials_, 1);
  EXPECT_TRUE(ClientOf("session").connected());
}

TEST_F(MirrorStreamsTest, ALinkBelowTheMinimumIsNotCalledConnectedAndSaysWhy) {
  Start();
  Append("session", 1, kMaxRecordBytes - 64);
  EXPECT_EQ(HeldOf("session"), 1U);
  world_.fabric().link(0, 1).bytes_per_second = kMinMirrorProgress / 10;
  Append("session", 1, kMaxRecordBytes - 64);
  world_.RunFor(minutes{2});
  EXPECT_GT(dials_, kMaxEarlyEnds);
  int connected = 0;
  for (int second = 0; second < 20; ++second) {
    connected += ClientOf("session").connected() ? 1 : 0;
    EXPECT_NE(ClientOf("session").problem().find("ended early, the last one: "), std::string::npos)
        << ClientOf("session").problem();
    world_.RunFor(seconds{1});
  }
  EXPECT_EQ(connected, 0);
  world_.fabric().link(0, 1).bytes_per_second = 0;
  world_.RunFor(2 * kSteadyConnection);
  EXPECT_EQ(HeldOf("session"), 2U);
  EXPECT_TRUE(ClientOf("session").connected());
  EXPECT_EQ(ClientOf("session").problem(), "");
}

// Over a stream whose other end is used by `peer`; returns what ended it, and when.
class ProgressTest : public MirrorStreamsTest {
 protected:
  using Use = std::function<Task<Result<void>>(FrameStream&)>;
  using Peer = std::function<Task<void>(io::Stream&)>;

  void Run(Use use, Peer peer) {
    StartPeer(kSourceAt.address, [peer](Machine& machine) -> Task<void> {
      auto listener = machine.network.Listen(kSourceAt, {});
      auto stream = co_await (*listener)->Accept();
      CHECK(stream);
      co_await peer(**stream);
    });
    world_.RunFor(milliseconds{10});
    StartPeer(IpAddress::V4(10, 0, 0, 2), [this, use](Machine& machine) -> Task<void> {
      auto stream =
          co_await machine.network.Connect(kSourceAt, {.deadline = machine.loop.After(seconds{1})});
      CHECK(stream);
      FrameStream frames(std::move(*stream));
      TimePoint begun = machine.loop.Now();
      ended_ = co_await use(frames);
      took_ = machine.loop.Now() - begun;
    });
    world_.RunFor(minutes{2});
    ASSERT_TRUE(ended_);
  }
  static Task<Result<void>> ReadOne(FrameStream& frames) {
    auto frame = co_await frames.ReadWithProgress(kMaxFrameBytes);
    if (!frame) co_return Fail(frame.error());
    co_return Result<void>{};
  }

  std::optional<Result<void>> ended_;
  Duration took_{};
};

TEST_F(ProgressTest, APeerThatSendsAByteASecondIsSilent) {
  Run(ReadOne, [](io::Stream& stream) -> Task<void> {
    std::vector<uint8_t> frame = EncodeFrame(FrameType::kBlock, 1, std::vector<uint8_t>(1000));
    for (uint8_t byte : frame) {
      if (!co_await stream.Write(Bytes(&byte, 1))) co_return;
      if (!co_await io::Sleep(seconds{1})) co_return;
    }
  });
  EXPECT_EQ(ended_->error().code, Errc::kTimeout);
  EXPECT_EQ(ended_->error().message, "the peer sent 6 bytes in 5 s");
  EXPECT_LE(took_, kMaxMirrorSilence + milliseconds{10});
}

TEST_F(ProgressTest, APeerThatSendsTheMinimumIsReadToTheEndOfTheFrame) {
  Run(ReadOne, [](io::Stream& stream) -> Task<void> {
    std::vector<uint8_t> frame =
        EncodeFrame(FrameType::kBlock, 1, std::vector<uint8_t>(10 * kMinMirrorProgress));
    for (Bytes rest = frame; !rest.empty();) {
      size_t part = std::min(rest.size(), kMinMirrorProgress);
      if (!co_await stream.Write(rest.first(part))) co_return;
      rest = rest.subspan(part);
      if (!co_await io::Sleep(kMaxMirrorSilence - milliseconds{100})) co_return;
    }
  });
  EXPECT_TRUE(*ended_);
  EXPECT_GT(took_, 9 * (kMaxMirrorSilence - milliseconds{100}));
}

TEST_F(ProgressTest, APeerThatReadsNothingIsNoticedInTime) {
  auto write = [](FrameStream& frames) -> Task<Result<void>> {
    std::vector<uint8_t> body(1 << 20);
    co_return co_await frames.WriteWithProgress(body, body);
  };
  Run(write, [](io::Stream&) -> Task<void> { (void)co_await io::Sleep(minutes{5}); });
  EXPECT_EQ(ended_->error().code, Errc::kTimeout);
  EXPECT_EQ(ended_->error().message, "the peer did not read 32768 bytes in 5 s");
  EXPECT_LE(took_, kMaxMirrorSilence + milliseconds{10});
}

// A follower that is written here, frame by frame.
class PeerFollowerTest : public MirrorStreamsTest {
 protected:
  // Says hello; then `use` goes on.
  void StartFollowing(std::function<Task<void>(FrameStream&, Machine&)> use) {
    StartPeer(IpAddress::V4(10, 0, 0, next_peer_++), [use](Machine& machine) -> Task<void> {
      auto stream =
          co_await machine.network.Connect(kSourceAt, {.deadline = machine.loop.After(seconds{1})});
      CHECK(stream);
      FrameStream frames(std::move(*stream));
      Hello hello{.site = "photos", .data_center = "us-west", .now = NowOf(machine)};
      CHECK(co_await frames.Write(EncodeHello(hello), kNever));
      auto welcome = co_await frames.Read(kMaxFrameBytes, kNever);
      CHECK(welcome && welcome->type == FrameType::kWelcome);
      co_await use(frames, machine);
    });
  }
  static HybridTime NowOf(Machine& machine) {
    return HybridTime::FromWall(machine.loop.driver().Wall());
  }
  static Task<void> Open(FrameStream& frames, uint16_t stream, std::string log) {
    CHECK(co_await frames.Write(EncodeOpenStream(stream, {.log = std::move(log)}), kNever));
  }
  // Of the next frame that refuses something.
  static Task<std::pair<uint16_t, Refusal>> NextRefusal(FrameStream& frames) {
    for (;;) {
      auto frame = co_await frames.Read(kMaxFrameBytes, kNever);
      CHECK(frame);
      if (frame->type != FrameType::kRefuse) continue;
      auto refusal = ParseRefusal(frame->body);
      CHECK(refusal);
      co_return std::pair{frame->stream, *refusal};
    }
  }
  // Reads all that comes until `until`; acknowledges what comes on streams of `acknowledged`.
  Task<void> ReadUntil(FrameStream& frames, Machine& machine, TimePoint until, uint16_t taker) {
    for (;;) {
      auto frame = co_await frames.Read(kMaxFrameBytes, until);
      if (!frame) co_return;
      if (frame->type == FrameType::kRefuse) refused_ = true;
      if (frame->type != FrameType::kRecords && frame->type != FrameType::kHeartbeat) continue;
      uint16_t stream = frame->stream;
      if (frame->type == FrameType::kRecords) {
        order_.push_back(stream);
        Bytes records = frame->body.subspan(kSourceStateBytes);
        bytes_[stream] += records.size();
        auto batch = RecordBatch::Parse({records.begin(), records.end()});
        CHECK(batch);
        ends_[stream] = batch->end_offset();
      }
      Ack ack{.end_offset = stream == taker ? ends_[stream] : 0, .now = NowOf(machine)};
      if (!co_await frames.Write(EncodeAck(stream, ack), kNever)) co_return;
    }
  }

  uint8_t next_peer_ = 2;  // the end of its address
  std::map<uint16_t, size_t> bytes_;
  std::map<uint16_t, uint64_t> ends_;
  std::vector<uint16_t> order_;
  bool refused_ = false;
};

TEST_F(PeerFollowerTest, StreamThatAcknowledgesNothingHasItsLimitInFlightAndTheOtherGoesOn) {
  StartSource();
  Append("session", 150, kBodyBytes);
  Append("journal", 150, kBodyBytes);
  StartFollowing([this](FrameStream& frames, Machine& machine) -> Task<void> {
    co_await Open(frames, 1, "session");
    co_await Open(frames, 2, "journal");
    co_await ReadUntil(frames, machine, machine.loop.After(seconds{4}), 2);
  });
  world_.RunFor(seconds{10});
  EXPECT_FALSE(refused_);
  EXPECT_GE(bytes_[1], kMaxInFlightBytes);
  EXPECT_LT(bytes_[1], kMaxInFlightBytes + 2 * kBodyBytes);
  EXPECT_EQ(ends_[2], 150U);
}

// It counted as gone when the old connection had ended, though it was served.
TEST_F(PeerFollowerTest, FollowerCountsAfterAStreamOfItsOldConnectionJoinedLast) {
  StartSource();
  Append("session", 10, kBodyBytes);
  auto follow = [this](uint16_t stream, Duration opens_after, Duration reads_for) {
    StartFollowing([=, this](FrameStream& frames, Machine& machine) -> Task<void> {
      (void)co_await io::Sleep(opens_after);
      co_await Open(frames, stream, "session");
      co_await ReadUntil(frames, machine, machine.loop.After(reads_for), stream);
    });
  };
  follow(1, seconds{1}, seconds{1});
  follow(2, Duration::zero(), seconds{8});
  world_.RunFor(seconds{4});
  Append("session", 5, kBodyBytes);
  world_.RunFor(seconds{2});
  const FollowerProgress& progress = server_->followers("session").at("us-west");
  EXPECT_TRUE(progress.connected);
  EXPECT_EQ(progress.acknowledged, 15U);
  world_.RunFor(seconds{6});
  EXPECT_FALSE(progress.connected);
}

TEST_F(PeerFollowerTest, StreamsWithMuchToSendAlternate) {
  StartSource();
  Append("session", 60, kBodyBytes);
  Append("journal", 20, kBodyBytes);
  StartFollowing([this](FrameStream& frames, Machine& machine) -> Task<void> {
    co_await Open(frames, 1, "session");
    co_await Open(frames, 2, "journal");
    co_await ReadUntil(frames, machine, machine.loop.After(seconds{2}), 0);
  });
  world_.fabric().link(0, 1).bytes_per_second = 4'000'000;
  world_.RunFor(seconds{10});
  ASSERT_EQ(ends_[2], 20U);
  size_t last = order_.size();
  while (order_[last - 1] != 2) --last;
  size_t in_a_row = 0;
  size_t first = static_cast<size_t>(std::ranges::find(order_, 2) - order_.begin());
  for (size_t i = first; i < last; ++i) {
    in_a_row = order_[i] == 1 ? in_a_row + 1 : 0;
    EXPECT_LE(in_a_row, 1U) << "frames of the long log before frame " << i;
  }
}

TEST_F(PeerFollowerTest, StreamsPastTheLimitAreRefusedUntilOneIsClosed) {
  std::vector<std::pair<uint16_t, Refusal>> refusals;
  StartSource();
  StartFollowing([&](FrameStream& frames, Machine&) -> Task<void> {
    for (uint16_t i = 1; i <= kMaxStreams + 1; ++i) co_await Open(frames, i, "session");
    refusals.push_back(co_await NextRefusal(frames));
    CHECK(co_await frames.Write(EncodeFrame(FrameType::kCloseStream, 3, {}), kNever));
    (void)co_await io::Sleep(milliseconds{100});
    co_await Open(frames, kMaxStreams + 2, "session");
    co_await Open(frames, kMaxStreams + 3, "session");
    refusals.push_back(co_await NextRefusal(frames));
  });
  world_.RunFor(seconds{2});
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].first, kMaxStreams + 1);
  EXPECT_EQ(refusals[0].second,
            (Refusal{RefusalReason::kTooManyStreams, "16 streams of a connection are the most"}));
  EXPECT_EQ(refusals[1].first, kMaxStreams + 3);
}

TEST_F(PeerFollowerTest, FramesOfStreamsThatWereNeverOpenEndTheConnection) {
  std::vector<std::pair<uint16_t, Refusal>> refusals;
  StartSource();
  StartFollowing([&](FrameStream& frames, Machine&) -> Task<void> {
    co_await Open(frames, 2, "session");
    // This may still be on its way when a stream ends.
    CHECK(co_await frames.Write(EncodeAck(1, {}), kNever));
    CHECK(co_await frames.Write(EncodeAck(3, {}), kNever));
    refusals.push_back(co_await NextRefusal(frames));
  });
  world_.RunFor(seconds{1});
  StartFollowing([&](FrameStream& frames, Machine&) -> Task<void> {
    co_await Open(frames, 2, "session");
    co_await Open(frames, 2, "journal");
    refusals.push_back(co_await NextRefusal(frames));
  });
  world_.RunFor(seconds{1});
  ASSERT_EQ(refusals.size(), 2U);
  for (const auto& [stream, refusal] : refusals) {
    EXPECT_EQ(stream, kWholeConnection);
    EXPECT_EQ(refusal.reason, RefusalReason::kProtocol);
  }
  EXPECT_EQ(refusals[0].second.text, "a frame of stream 3, which is not open");
  EXPECT_EQ(refusals[1].second.text, "stream 2 was open before");
}

TEST_F(PeerFollowerTest, OtherVersionIsRefusedWithBothVersions) {
  std::optional<Refusal> refusal;
  StartSource();
  StartPeer(IpAddress::V4(10, 0, 0, 2), [&](Machine& machine) -> Task<void> {
    auto stream =
        co_await machine.network.Connect(kSourceAt, {.deadline = machine.loop.After(seconds{1})});
    CHECK(stream);
    FrameStream frames(std::move(*stream));
    const std::vector<uint8_t> hello = {0, 0, 0, 6, 1, 0, 0, 0, 2, 0, 9};
    CHECK(co_await frames.Write(hello, kNever));
    refusal = (co_await NextRefusal(frames)).second;
  });
  world_.RunFor(seconds{1});
  EXPECT_EQ(refusal, (Refusal{RefusalReason::kVersion,
                              "the follower speaks version 2, this source version 4"}));
}

// A source that is written here, frame by frame, and a follower whose stream nobody reads.
class PeerSourceTest : public MirrorStreamsTest {
 protected:
  // The refusal that ends the connection when `frame` is sent `times` times.
  std::optional<Refusal> RefusalOf(std::vector<uint8_t> frame, size_t times) {
    std::optional<Refusal> refusal;
    StartPeer(kSourceAt.address, [&](Machine& machine) -> Task<void> {
      auto listener = machine.network.Listen(kSourceAt, {});
      auto stream = co_await (*listener)->Accept();
      CHECK(stream);
      FrameStream frames(std::move(*stream));
      CHECK(co_await frames.Read(kMaxFrameBytes, kNever));
      Welcome welcome{.data_center = "us-east",
                      .now = HybridTime::FromWall(machine.loop.driver().Wall())};
      CHECK(co_await frames.Write(EncodeWelcome(welcome), kNever));
      for (size_t sent = 0; sent < times; ++sent) {
        if (!co_await frames.Write(frame, kNever)) break;
      }
      while (!refusal) {
        auto read = co_await frames.Read(kMaxFrameBytes, kNever);
        if (!read) co_return;
        if (read->type == FrameType::kRefuse) refusal = *ParseRefusal(read->body);
      }
    });
    StartPeer(IpAddress::V4(10, 0, 0, 2), [](Machine& machine) -> Task<void> {
      HybridClock clock(machine.loop.driver(), kMaxClockSkew);
      auto dial = [&](TimePoint deadline) {
        return machine.network.Connect(kSourceAt, {.deadline = deadline});
      };
      MirrorConnection connection(
          machine.loop, {.identity = {"photos", "us-west"}, .source = "us-east", .clock = clock},
          dial);
      io::Scope scope(machine.loop);
      scope.Spawn(connection.Run());
      CHECK(co_await connection.AwaitUp());
      auto stream = connection.NewStream();  // nobody reads it
      co_await scope.Join();
    });
    world_.RunFor(minutes{1});
    return refusal;
  }
};

TEST_F(PeerSourceTest, SourceThatSendsMoreBytesThanItMayIsRefused) {
  auto block = EncodeFrame(FrameType::kBlock, 1, std::vector<uint8_t>(1 << 20));
  auto refusal = RefusalOf(block, (kMaxReceivedBytes >> 20) + 1);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kProtocol);
  EXPECT_TRUE(refusal->text.starts_with("stream 1 has more than ")) << refusal->text;
}

// They counted as nothing, and filled the memory.
TEST_F(PeerSourceTest, SourceThatSendsMoreFramesThanItMayIsRefused) {
  auto refusal = RefusalOf(EncodeFrame(FrameType::kCloseStream, 1, {}), kMaxReceivedFrames + 1);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kProtocol);
  EXPECT_TRUE(refusal->text.starts_with("stream 1 has more than ")) << refusal->text;
}

TEST_F(MirrorStreamsTest, FrameOfAFiberThatIsCancelledIsWrittenWhole) {
  std::vector<uint16_t> received;
  StartPeer(kSourceAt.address, [&](Machine& machine) -> Task<void> {
    auto listener = machine.network.Listen(kSourceAt, {});
    auto stream = co_await (*listener)->Accept();
    CHECK(stream);
    FrameStream frames(std::move(*stream));
    for (;;) {
      auto frame = co_await frames.Read(kMaxFrameBytes, kNever);
      if (!frame) break;
      received.push_back(frame->stream);
    }
  });
  StartPeer(IpAddress::V4(10, 0, 0, 2), [](Machine& machine) -> Task<void> {
    auto stream =
        co_await machine.network.Connect(kSourceAt, {.deadline = machine.loop.After(seconds{1})});
    CHECK(stream);
    FrameStream frames(std::move(*stream));
    FrameSender sender(frames);
    auto send = [&](uint16_t number) -> Task<void> {
      (void)co_await sender.Send(
          EncodeFrame(FrameType::kBlock, number, std::vector<uint8_t>(1 << 20)));
    };
    auto run = [&]() -> Task<void> { (void)co_await sender.Run(); };
    io::Scope writing(machine.loop);
    io::Scope cancelled(machine.loop);
    writing.Spawn(run());
    cancelled.Spawn(send(1));
    (void)co_await io::Sleep(milliseconds{100});
    cancelled.Cancel();
    co_await cancelled.Join();
    co_await send(2);
    writing.Cancel();
    co_await writing.Join();
  });
  world_.fabric().link(1, 0).bytes_per_second = 1'000'000;
  world_.RunFor(seconds{10});
  EXPECT_EQ(received, (std::vector<uint16_t>{1, 2}));
}

}  // namespace
}  // namespace meridian::store
