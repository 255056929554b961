// The decisions of a resolver: caching, choice of the next server, reading of answers. Pure: the
// time is an argument, and its owner (DnsClient) sends the queries.
//
// It caches answers, also negative ones, for their TTL (RFC 1035, RFC 2308), but not failures. A
// question has one cached answer, because a resolver has a single visitor with a fixed subnet. The
// cache holds one answer for each question: three for each URL.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "visit/record.hpp"
#include "wire/dns/response.hpp"

namespace meridian::visit {

// Reads the answer to `question` from `response`. kUnavailable: the server could not answer
// (SERVFAIL, REFUSED and so on). kInvalid: an alias, which no server of a site sends.
Result<DnsAnswer> ReadAnswer(const wire::dns::Response& response,
                             const wire::dns::Question& question);

class Resolver {
 public:
  // `servers`: at least one, in the order of preference.
  explicit Resolver(std::vector<DnsServer> servers);

  // The cached answer, or null. Valid until the next call of a non-const function.
  const DnsAnswer* Find(const wire::dns::Question& question, TimePoint now) const;

  // Indices of the servers to try in turn until one answers: recently silent servers come last, the
  // longest silence first among them.
  std::vector<size_t> ServersToAsk(TimePoint now) const;
  const DnsServer& server(size_t index) const { return servers_[index].server; }

  void OnAnswer(size_t server, const wire::dns::Question& question, const DnsAnswer& answer,
                TimePoint now);
  // Call if the server did not answer, or answered with an error.
  void OnSilence(size_t server, TimePoint now);

 private:
  struct Server {
    DnsServer server;
    TimePoint silent_until{};
  };
  struct CachedAnswer {
    wire::dns::Question question;
    DnsAnswer answer;
    TimePoint expires;
  };

  std::vector<Server> servers_;
  std::vector<CachedAnswer> cache_;
};

}  // namespace meridian::visit
