// The broker with an engine on a simulated disk: how it shares its loop, and what a response holds.
#include "queue/server/broker.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/limits.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/configs.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/messages/groups.hpp"
#include "wire/kafka/messages/list_offsets.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/offsets.hpp"
#include "wire/kafka/messages/topics.hpp"

namespace meridian::queue {
namespace {

namespace kafka = wire::kafka;

constexpr size_t kManyItems = 20'000;
constexpr size_t kSlices = kManyItems / kItemsPerSlice - 1;

class BrokerTest : public EngineTest {
 protected:
  using Use = std::function<Task<void>(Broker&, Machine&)>;

  void RunBroker(Use use) {
    Run([this, use = std::move(use)](Engine& engine, Machine& machine) -> Task<void> {
      GroupService groups(machine.loop, 1);
      Broker broker({.loop = machine.loop, .engine = engine, .groups = groups},
                    {.cluster_id = "site", .here = {.node_id = 1}}, config_);
      co_await use(broker, machine);
      co_await groups.Close();
    });
  }
  // The frame of the response to the request, in the newest version, without its length.
  template <class Request>
  static Task<std::vector<uint8_t>> Ask(Broker& broker, const Request& request, Call call = {}) {
    kafka::Frame frame;
    EXPECT_TRUE(kafka::EncodeRequest({.api_version = VersionOf<Request>()}, request, &frame));
    call.header = kafka::DecodeRequestHeader(Bytes(frame.bytes).subspan(4)).value();
    if (!call.cancellation) {
      call.cancellation = std::make_shared<Cancellation>(Cancellation{broker.NewTicket()});
    }
    auto answer = co_await broker.Answer(std::move(call));
    EXPECT_TRUE(answer) << answer.error().message;
    if (!answer) co_return std::vector<uint8_t>();
    co_return std::vector<uint8_t>(answer->bytes.begin() + 4, answer->bytes.end());
  }
  template <class Message>
  static int16_t VersionOf() {
    return kafka::internal::ApiOf(Message::kApi).max_version;
  }
  template <class Response>
  static Response Decoded(Bytes answer) {
    const auto& api = kafka::internal::ApiOf(Response::kApi);
    auto header = kafka::DecodeResponseHeader(api, VersionOf<Response>(), answer);
    return kafka::DecodeResponse<Response>(header.value(), VersionOf<Response>()).value();
  }
  // How often another fiber runs while the request is answered.
  template <class Request>
  static Task<void> ExpectShared(Broker& broker, Machine& machine, Request request) {
    size_t iterations = 0;
    bool done = false;
    io::Scope scope(machine.loop);
    auto other = [&]() -> Task<void> {
      // Time stands still meanwhile, so that it has to end.
      while (!done && iterations < kSlices && co_await io::Sleep(Duration::zero())) ++iterations;
    };
    scope.Spawn(other());
    EXPECT_FALSE((co_await Ask(broker, request)).empty());
    done = true;
    co_await scope.Join();
    EXPECT_GE(iterations, kSlices) << kafka::internal::ApiOf(Request::kApi).name;
  }
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (size_t i = 0; i < kManyItems; ++i) names.push_back("n" + std::to_string(i));
    return names;
  }

  Config config_;
};

// Each was answered in one loop iteration, in which no other client was served.
TEST_F(BrokerTest, RequestsWithManyItemsLetOtherFibersRun) {
  RunBroker([](Broker& broker, Machine& machine) -> Task<void> {
    co_await MustCreate(broker.engine(), "orders");
    const std::vector<std::string> names = Names();
    const std::vector<std::string_view> views(names.begin(), names.end());

    kafka::OffsetFetchRequest offsets;
    offsets.groups.push_back({.id = "billing", .topics = {{{.name = "orders"}}}});
    offsets.groups[0].topics->at(0).partitions.resize(kManyItems);
    co_await ExpectShared(broker, machine, offsets);

    kafka::OffsetCommitRequest commit{.group_id = "billing", .topics = {{.name = "orders"}}};
    commit.topics[0].partitions.resize(kManyItems);
    co_await ExpectShared(broker, machine, commit);

    kafka::OffsetDeleteRequest remove{.group_id = "billing", .topics = {{.name = "orders"}}};
    remove.topics[0].partitions.resize(kManyItems);
    EXPECT_FALSE((co_await Ask(broker, remove)).empty());

    kafka::ListOffsetsRequest list{.topics = {{.name = "orders"}}};
    list.topics[0].partitions.resize(kManyItems, {.timestamp_ms = kLatestOffset});
    co_await ExpectShared(broker, machine, list);

    kafka::OffsetForLeaderEpochRequest epochs{.topics = {{.name = "orders"}}};
    epochs.topics[0].partitions.resize(kManyItems);
    co_await ExpectShared(broker, machine, epochs);

    kafka::LeaveGroupRequest leave{.group_id = "billing"};
    for (std::string_view view : views) leave.members.push_back({.id = view});
    co_await ExpectShared(broker, machine, leave);

    co_await ExpectShared(broker, machine, kafka::DescribeGroupsRequest{.groups = views});
    co_await ExpectShared(broker, machine, kafka::DeleteGroupsRequest{.groups = views});
    co_await ExpectShared(broker, machine, kafka::FindCoordinatorRequest{.keys = views});

    kafka::DeleteTopicsRequest topics;
    for (std::string_view view : views) topics.topics.push_back({.name = view});
    co_await ExpectShared(broker, machine, topics);
  });
}

TEST_F(BrokerTest, ListOfATopicsConfigurationDoesNotGrowWithoutEnd) {
  RunBroker([](Broker& broker, Machine&) -> Task<void> {
    co_await MustCreate(broker.engine(), "orders");
    kafka::IncrementalAlterConfigsRequest alter;
    alter.resources.push_back({.type = kafka::ResourceType::kTopic, .name = "orders"});
    const std::vector<std::string> names = Names();
    for (const std::string& name : names) {
      alter.resources[0].configs.push_back(
          {.name = "cleanup.policy", .operation = kafka::ConfigOperation::kAppend, .value = name});
    }
    EXPECT_FALSE((co_await Ask(broker, alter)).empty());
    EXPECT_TRUE(broker.engine().FindTopic("orders")->overrides.empty());
  });
}

// Each part keeps a file open until the response is sent.
TEST_F(BrokerTest, ResponseToAFetchHasMessagesOfAFewPartitions) {
  RunBroker([](Broker& broker, Machine& machine) -> Task<void> {
    constexpr uint32_t kPartitions = kMaxFetchFiles + 50;
    co_await MustCreate(broker.engine(), "orders", kPartitions);
    kafka::FetchRequest request{.max_wait_ms = 10'000, .min_bytes = 1 << 20};
    request.topics.push_back({.name = "orders"});
    for (uint32_t i = 0; i < kPartitions; ++i) {
      co_await MustProduce(broker.engine(), {"orders", i}, {"a"});
      request.topics[0].partitions.push_back(
          {.index = static_cast<int32_t>(i), .max_bytes = 1 << 20});
    }
    auto cancellation = std::make_shared<Cancellation>(Cancellation{broker.NewTicket()});
    TimePoint begin = machine.loop.Now();
    auto fetched = co_await broker.Fetch({.request = request, .cancellation = cancellation});
    EXPECT_LT(machine.loop.Now() - begin, seconds{10}) << "there are more messages";
    EXPECT_EQ(fetched.size(), kPartitions);
    for (size_t i = 0; i < fetched.size(); ++i) {
      EXPECT_EQ(fetched[i].error, kafka::ErrorCode::kNone);
      EXPECT_EQ(fetched[i].view.high_watermark, 1);
      EXPECT_EQ(fetched[i].view.range.bytes > 0, i < kMaxFetchFiles) << i;
    }
  });
}

// Java's consumer ends at KAFKA_STORAGE_ERROR.
TEST_F(BrokerTest, CommitOnAFullDiskIsToBeTriedAgain) {
  RunBroker([this](Broker& broker, Machine&) -> Task<void> {
    co_await MustCreate(broker.engine(), "orders");
    FillDisk();
    auto outcome = co_await Produce(broker.engine(), {"orders", 0}, BatchOf({"a"}), seconds{1});
    EXPECT_EQ(outcome.error, QueueError::kStorage);
    kafka::OffsetCommitRequest commit{.group_id = "billing", .topics = {{.name = "orders"}}};
    commit.topics[0].partitions.resize(2);
    commit.topics[0].partitions[1].index = 1;
    const std::vector<uint8_t> answer = co_await Ask(broker, commit);
    const auto response = Decoded<kafka::OffsetCommitResponse>(answer);
    EXPECT_EQ(response.topics[0].partitions[0].error, kafka::ErrorCode::kCoordinatorNotAvailable);
    MakeRoom();
  });
}

TEST_F(BrokerTest, RequestThatWaitsForAGroupIsReleased) {
  RunBroker([](Broker& broker, Machine&) -> Task<void> {
    kafka::JoinGroupRequest join{.group_id = "billing",
                                 .session_timeout_ms = 10'000,
                                 .rebalance_timeout_ms = 10'000,
                                 .protocol_type = "consumer"};
    join.protocols.push_back({.name = "range"});
    size_t released = 0;
    Call call{.client_host = "here", .release = [&released] { ++released; }};
    EXPECT_FALSE((co_await Ask(broker, join, std::move(call))).empty());
    EXPECT_EQ(released, 1U);
  });
}

}  // namespace
}  // namespace meridian::queue
