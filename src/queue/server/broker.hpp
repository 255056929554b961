// Broker: answers the requests of Kafka clients on the main loop, where the engine and the groups
// are. Each family of requests has a file of its own (answers_*.cpp). Produce and Fetch do the work
// that takes processor time on the connection's loop (client_handler.hpp), and call the functions
// here for the rest.
//
// Owned by the Queue; one thread: the main loop's. It outlives the connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/groups/group_types.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {

// How clients here see the queue of a data center.
struct BrokerAddress {
  int32_t node_id = 0;
  std::string host;
  uint16_t port = 0;
  std::string rack;  // the data center
};

struct BrokerIdentity {
  std::string cluster_id;  // the site's name
  BrokerAddress here;
  std::vector<BrokerAddress> others;
};

// Ends the wait of a request when its client is gone, or the process drains. Made on any loop, then
// used on the main loop alone.
struct Cancellation {
  const Ticket ticket;
  bool requested = false;
};

// A request that is being answered. The header's views are valid until the answer is there, or
// until `release` is called.
struct Call {
  wire::kafka::RequestHeader header;
  std::string client_host;
  std::shared_ptr<const Cancellation> cancellation;
  // Frees the request's memory: before a wait that may be long. At most once.
  std::function<void()> release = [] {};
};

// What a Fetch request gets of one partition, in the order of the request.
struct FetchedPartition {
  wire::kafka::ErrorCode error = wire::kafka::ErrorCode::kNone;
  FetchView view;
};

class Mirrors;

class Broker {
 public:
  struct Parts {
    io::Loop& loop;
    Engine& engine;
    GroupService& groups;
    Mirrors* mirrors = nullptr;  // null: there is no other data center
  };
  Broker(const Parts& parts, BrokerIdentity identity, const Config& config);

  // Answers a request other than Produce and Fetch. An error ends the connection.
  io::Task<Result<wire::kafka::Frame>> Answer(Call call);
  // At least min_bytes of the request, or what there is when it has waited max_wait_ms.
  // `from_peer`: by another data center's queue, which names its node id when it repairs segments.
  struct FetchCall {
    const wire::kafka::FetchRequest& request;
    std::shared_ptr<const Cancellation> cancellation;
    bool from_peer = false;
  };
  io::Task<std::vector<FetchedPartition>> Fetch(FetchCall call);
  io::Task<std::vector<ProduceOutcome>> Produce(std::span<const ProducePart> parts,
                                                Acknowledge acknowledge, Duration timeout);
  // Ends the wait of the call, also if it has not begun: it is answered now.
  void Cancel(Cancellation& cancellation);
  // Any thread.
  Ticket NewTicket() { return parts_.groups.NewTicket(); }

  io::Loop& loop() const { return parts_.loop; }
  Engine& engine() const { return parts_.engine; }
  GroupService& groups() const { return parts_.groups; }
  Mirrors* mirrors() const { return parts_.mirrors; }
  // This data center's queue, and all of the site.
  const BrokerAddress& here() const { return identity_.here; }
  const BrokerIdentity& identity() const { return identity_; }
  // The controller, which is also the coordinator of all groups. Null: site.toml has it no more.
  const BrokerAddress* controller() const;
  const Config& config() const { return config_; }

 private:
  struct Collected;
  io::Task<Collected> Collect(const FetchCall& call);
  io::Task<void> AwaitData(std::span<const SeenPartition> seen, size_t min_bytes,
                           const Cancellation& cancellation, TimePoint deadline);

  const Parts parts_;
  const BrokerIdentity identity_;
  const Config& config_;
  std::map<Ticket, io::Scope*> data_waits_;
};

}  // namespace meridian::queue
