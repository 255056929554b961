#include "dns/answer_counts.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "dns/responder.hpp"

namespace meridian::dns {
namespace {

std::string_view LabelOf(ReplyKind kind) {
  switch (kind) {
    case ReplyKind::kDropped:
      return "dropped";
    case ReplyKind::kAnswer:
      return "answer";
    case ReplyKind::kNoData:
      return "nodata";
    case ReplyKind::kNxDomain:
      return "nxdomain";
    case ReplyKind::kRefused:
      return "refused";
    case ReplyKind::kFormErr:
      return "formerr";
    case ReplyKind::kNotImp:
      return "notimp";
    case ReplyKind::kBadVers:
      return "badvers";
  }
  return "unknown";
}

std::string LabelOf(Transport transport) { return transport == Transport::kUdp ? "udp" : "tcp"; }

}  // namespace

AnswerMetrics::AnswerMetrics(Metrics& metrics, const std::vector<std::string>& data_centers) {
  for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
    PerTransport& counters = transports_[static_cast<size_t>(transport)];
    for (size_t kind = 0; kind < kReplyKinds; ++kind) {
      counters.replies[kind] =
          &metrics.AddCounter("meridian_dns_queries_total", "Messages received, by result.",
                              {{"transport", LabelOf(transport)},
                               {"result", std::string(LabelOf(static_cast<ReplyKind>(kind)))}});
    }
  }
  for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
    transports_[static_cast<size_t>(transport)].truncated = &metrics.AddCounter(
        "meridian_dns_truncated_total", "Responses that did not fit and say so.",
        {{"transport", LabelOf(transport)}});
  }
  for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
    transports_[static_cast<size_t>(transport)].durations =
        &metrics.AddDurations("meridian_dns_query_duration_seconds",
                              "From when a query was read to when its answer was sent.",
                              {{"transport", LabelOf(transport)}});
  }
  for (const std::string& name : data_centers) {
    steered_.push_back(&metrics.AddCounter("meridian_dns_steered_total",
                                           "Steered answers, by the data center they name first.",
                                           {{"datacenter", name}}));
  }
}

void AnswerMetrics::Add(Transport transport, const AnswerCounts& counts, Duration took) {
  PerTransport& counters = transports_[static_cast<size_t>(transport)];
  for (size_t kind = 0; kind < kReplyKinds; ++kind) {
    if (counts.replies[kind] != 0) counters.replies[kind]->Add(counts.replies[kind]);
  }
  if (uint32_t answered = counts.answered(); answered != 0) counters.durations->Add(took, answered);
  if (counts.truncated != 0) counters.truncated->Add(counts.truncated);
  for (size_t i = 0; i < steered_.size(); ++i) {
    if (counts.steered[i] != 0) steered_[i]->Add(counts.steered[i]);
  }
}

}  // namespace meridian::dns
