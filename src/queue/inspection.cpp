#include "queue/inspection.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/server/broker.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "wire/http/message.hpp"
#include "wire/json/writer.hpp"

namespace meridian::queue {
namespace {

using wire::json::Writer;

constexpr std::string_view kOrderField = "Meridian-Order";
constexpr std::string_view kDataCenter = "datacenter=";

io::Task<void> RespondJson(http::Exchange& exchange, std::string json) {
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(json));
}

int StatusOf(QueueError error) {
  switch (error) {
    case QueueError::kUnknownTopicOrPartition:
      return 404;
    case QueueError::kNotHome:
    case QueueError::kTooManyRequests:
      return 409;
    default:
      return 503;
  }
}

// The orders of a query: "topic=NAME&topic=NAME", "all", "force". Names of topics need no escapes.
Mirrors::PromoteRequest RequestOf(std::string_view query) {
  Mirrors::PromoteRequest request;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    constexpr std::string_view kTopic = "topic=";
    if (part == "all") request.all = true;
    if (part == "force") request.force = true;
    if (part.starts_with(kTopic)) request.topics.emplace_back(part.substr(kTopic.size()));
  }
  return request;
}

}  // namespace

io::Task<void> Inspection::Answer(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  if (request.method == "GET" && request.path == "/queue/mirrors") {
    co_await RespondJson(exchange, MirrorsJson());
  } else if (request.method == "POST" && request.path == "/queue/promote") {
    co_await Promote(exchange);
  } else if (request.method == "POST" && request.path == "/queue/follow-anew") {
    co_await FollowAnew(exchange);
  } else {
    (void)co_await http::RespondText(exchange, 404, "there are mirrors, promote and follow-anew\n");
  }
}

std::string Inspection::NameOf(NodeId node) const {
  if (static_cast<int32_t>(node) == identity_.here.node_id) return identity_.here.rack;
  auto found =
      std::ranges::find(identity_.others, static_cast<int32_t>(node), &BrokerAddress::node_id);
  return found == identity_.others.end() ? fmt::format("broker {}", node) : found->rack;
}

std::string Inspection::MirrorsJson() const {
  const QueueState& state = engine_.durable().state();
  Writer writer;
  writer.BeginObject();
  writer.Member("controller", NameOf(state.controller().node));
  writer.Member("epoch", int64_t{state.max_epoch()});
  if (mirrors_ != nullptr) writer.Member("missing_copies", mirrors_->MissingCopies());
  writer.BeginArray("topics");
  for (const auto& [number, topic] : state.topics()) {
    int64_t missing = 0;
    for (const PartitionState& partition : topic.partitions) {
      missing += std::max<int64_t>(partition.source_end - partition.end_offset, 0);
    }
    writer.BeginObject();
    writer.Member("name", topic.name);
    writer.Member("home", NameOf(topic.home));
    writer.Member("leader_epoch", int64_t{topic.leader_epoch});
    writer.Member("partitions", uint64_t{topic.partitions.size()});
    writer.Member("missing_messages", missing);
    writer.EndObject();
  }
  writer.EndArray();
  writer.BeginArray("peers");
  if (mirrors_ != nullptr) {
    for (const Mirrors::Peer& peer : mirrors_->Peers()) {
      writer.BeginObject();
      writer.Member("name", peer.name);
      writer.Member("connected", peer.connected);
      writer.Member("behind_records", peer.behind_records);
      writer.Member("behind_seconds", Seconds(peer.behind));
      writer.Member("follows", peer.follows);
      writer.Member("ahead_records", peer.ahead_records);
      if (!peer.problem.empty()) writer.Member("problem", peer.problem);
      writer.Member("other_journal", peer.other_journal);
      writer.EndObject();
    }
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

// Why an order cannot be carried out at all. Empty: it can.
std::string Inspection::ProblemOfOrder(const wire::http::RequestHead& asked,
                                       std::string_view name) const {
  if (asked.fields.Find(kOrderField) != name) return "a field Meridian-Order is missing";
  return mirrors_ == nullptr ? "the site has one data center with a queue" : "";
}

io::Task<void> Inspection::FollowAnew(http::Exchange& exchange) {
  const wire::http::RequestHead& asked = exchange.request();
  const std::string_view query = asked.query.value_or("");
  std::string problem = ProblemOfOrder(asked, "follow-anew");
  if (!query.starts_with(kDataCenter)) problem = "say which data center";
  if (!problem.empty()) {
    (void)co_await http::RespondText(exchange, 400, problem + "\n");
    co_return;
  }
  Outcome<> done = co_await mirrors_->FollowAnew(query.substr(kDataCenter.size()));
  if (done) co_return co_await RespondJson(exchange, "{}");
  (void)co_await http::RespondText(exchange, StatusOf(done.error().error),
                                   done.error().message + "\n");
}

io::Task<void> Inspection::Promote(http::Exchange& exchange) {
  const wire::http::RequestHead& asked = exchange.request();
  Mirrors::PromoteRequest request = RequestOf(asked.query.value_or(""));
  std::string problem = ProblemOfOrder(asked, "promote");
  if (!request.all && request.topics.empty()) problem = "say which topic, or all";
  if (!problem.empty()) {
    (void)co_await http::RespondText(exchange, 400, problem + "\n");
    co_return;
  }
  Outcome<int32_t> epoch = co_await mirrors_->Promote(std::move(request));
  if (!epoch) {
    (void)co_await http::RespondText(exchange, StatusOf(epoch.error().error),
                                     epoch.error().message + "\n");
    co_return;
  }
  Writer writer;
  writer.BeginObject();
  writer.Member("epoch", int64_t{*epoch});
  writer.EndObject();
  co_await RespondJson(exchange, writer.Take());
}

}  // namespace meridian::queue
