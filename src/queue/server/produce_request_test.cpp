#include "queue/server/produce_request.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/produce.hpp"

namespace meridian::queue {
namespace {

namespace kafka = wire::kafka;
using io::Task;
using io::sim::Machine;

constexpr size_t kBatches = 20;

class ProduceRequestTest : public io::sim::SimTest {};

TEST_F(ProduceRequestTest, OtherFibersRunBetweenTwoBatchesThatAreDecompressed) {
  AddClient([](Machine& machine) -> Task<void> {
    kafka::BatchWriter writer({.attributes = static_cast<uint16_t>(kafka::Codec::kGzip)});
    writer.Add({.offset = 0, .timestamp_ms = 1, .value = "v"});
    const std::vector<uint8_t> batch = writer.Finish().value();
    kafka::ProduceRequest request{.acks = -1};
    request.topics.push_back({.name = "orders"});
    request.topics[0].partitions.resize(kBatches, {.records = {.bytes = batch}});
    const kafka::ApiDescription& api = kafka::internal::ApiOf(kafka::ApiKey::kProduce);
    const kafka::RequestHeader header{.api_version = api.max_version, .api = &api};

    size_t iterations = 0;
    bool done = false;
    io::Scope scope(machine.loop);
    auto other = [&]() -> Task<void> {
      while (!done && co_await io::Sleep(Duration::zero())) ++iterations;
    };
    scope.Spawn(other());
    const CheckedProduce checked = co_await CheckProduce(header, request);
    done = true;
    co_await scope.Join();
    EXPECT_EQ(checked.parts.size(), kBatches);
    EXPECT_GE(iterations, kBatches - 1);
  });
  RunClient();
}

}  // namespace
}  // namespace meridian::queue
