#include "visit/resolver.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/record.hpp"
#include "wire/dns/response.hpp"

namespace meridian::visit {
namespace {

using wire::dns::Question;
using wire::dns::Rcode;
using wire::dns::Record;
using wire::dns::RecordType;
using wire::dns::Response;

// RFC 2181 section 8: a TTL with the highest bit set is zero.
uint32_t TtlOf(uint32_t seconds) { return seconds > INT32_MAX ? 0 : seconds; }

std::string RcodeName(Rcode rcode) {
  switch (rcode) {
    case Rcode::kNoError:
      return "NOERROR";
    case Rcode::kFormErr:
      return "FORMERR";
    case Rcode::kServFail:
      return "SERVFAIL";
    case Rcode::kNxDomain:
      return "NXDOMAIN";
    case Rcode::kNotImp:
      return "NOTIMP";
    case Rcode::kRefused:
      return "REFUSED";
    case Rcode::kBadVers:
      return "BADVERS";
  }
  return fmt::format("RCODE {}", static_cast<int>(rcode));
}

// The TTL of a negative answer (RFC 2308 section 5); without an SOA zero.
uint32_t NegativeTtl(const Response& response) {
  for (const Record& record : response.authorities) {
    if (const auto* soa = std::get_if<wire::dns::SoaData>(&record.data)) {
      return std::min(TtlOf(record.ttl_seconds), TtlOf(soa->minimum_seconds));
    }
  }
  return 0;
}

void TakeRecord(const Record& record, DnsAnswer* answer) {
  if (const auto* address = std::get_if<IpAddress>(&record.data)) {
    answer->addresses.push_back(*address);
  } else if (const auto* service = std::get_if<wire::dns::ServiceBinding>(&record.data)) {
    answer->services.push_back(*service);
  }
  answer->ttl_seconds = std::min(answer->ttl_seconds, TtlOf(record.ttl_seconds));
}

}  // namespace

Result<DnsAnswer> ReadAnswer(const Response& response, const Question& question) {
  if (response.rcode != Rcode::kNoError && response.rcode != Rcode::kNxDomain) {
    return Fail(Errc::kUnavailable, "{}", RcodeName(response.rcode));
  }
  DnsAnswer answer{.ttl_seconds = UINT32_MAX};
  if (response.edns && response.edns->subnet) {
    answer.subnet_scope = response.edns->subnet->scope_length;
  }
  for (const Record& record : response.answers) {
    if (!(record.owner == question.name)) continue;
    if (record.type == RecordType::kCname) return Fail(Errc::kInvalid, "an alias");
    if (record.type == question.type) TakeRecord(record, &answer);
  }
  if (answer.addresses.empty() && answer.services.empty()) {
    bool no_name = response.rcode == Rcode::kNxDomain;
    answer.kind = no_name ? DnsAnswer::Kind::kNoName : DnsAnswer::Kind::kNoData;
    answer.ttl_seconds = NegativeTtl(response);
  }
  std::ranges::sort(answer.services, {}, &wire::dns::ServiceBinding::priority);
  return answer;
}

Resolver::Resolver(std::vector<DnsServer> servers) {
  CHECK(!servers.empty());
  for (DnsServer& server : servers) servers_.push_back({.server = std::move(server)});
}

const DnsAnswer* Resolver::Find(const Question& question, TimePoint now) const {
  auto known = std::ranges::find(cache_, question, &CachedAnswer::question);
  return known != cache_.end() && now < known->expires ? &known->answer : nullptr;
}

std::vector<size_t> Resolver::ServersToAsk(TimePoint now) const {
  std::vector<size_t> order(servers_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t index) {
    TimePoint silent_until = servers_[index].silent_until;
    return std::pair(silent_until > now ? silent_until : TimePoint{}, index);
  });
  order.resize(std::min(order.size(), kMaxDnsTries));
  size_t once = order.size();
  size_t tries = std::min(once * kDnsRounds, kMaxDnsTries);
  for (size_t i = once; i < tries; ++i) order.push_back(order[i - once]);
  return order;
}

void Resolver::OnAnswer(size_t server, const Question& question, const DnsAnswer& answer,
                        TimePoint now) {
  servers_[server].silent_until = {};
  Duration keep = std::min<Duration>(std::chrono::seconds{answer.ttl_seconds}, kMaxKeepAnswer);
  auto known = std::ranges::find(cache_, question, &CachedAnswer::question);
  if (known == cache_.end()) known = cache_.insert(cache_.end(), {.question = question});
  known->answer = answer;
  known->expires = now + keep;
}

void Resolver::OnSilence(size_t server, TimePoint now) {
  servers_[server].silent_until = now + kSilentServerPause;
}

}  // namespace meridian::visit
