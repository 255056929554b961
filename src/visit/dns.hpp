// DnsClient: sends a visitor's queries to the site's name servers, over UDP, and over TCP if an
// answer is truncated. Resolver chooses the servers and caches answers.
//
// Concurrent look-ups of the same question share one query. One thread: the loop's; it must outlive
// its look-ups.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "io/net/network.hpp"
#include "io/wait_queue.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/resolver.hpp"
#include "wire/dns/query.hpp"

namespace meridian::visit {

struct DnsClientOptions {
  std::vector<DnsServer> servers;
  std::optional<wire::dns::ClientSubnet> subnet;  // sent with every query
  VisitLimits limits;
};

class DnsClient {
 public:
  DnsClient(io::Loop& loop, io::Network& network, DnsClientOptions options);

  // The answer to `question`, cached or from a server; appends each query to `tries`. Errors: those
  // of the last server.
  io::Task<Result<DnsAnswer>> LookUp(wire::dns::Question question, std::vector<DnsTry>* tries);

  // The number of queries that were sent.
  uint64_t questions() const { return questions_; }

 private:
  // A look-up in progress.
  struct PendingLookUp {
    wire::dns::Question question;
    Result<DnsAnswer> outcome;
    io::WaitQueue answered;
  };

  std::shared_ptr<PendingLookUp> FindPending(const wire::dns::Question& question) const;
  io::Task<Result<DnsAnswer>> AskServers(const wire::dns::Question& question,
                                         std::vector<DnsTry>* tries);
  io::Task<Result<DnsAnswer>> AskServer(const DnsServer& server,
                                        const wire::dns::Question& question, bool* tcp);
  io::Task<Result<wire::dns::Response>> AskByUdp(const wire::dns::Query& query, Endpoint server);
  io::Task<Result<wire::dns::Response>> AskByTcp(const wire::dns::Query& query, Endpoint server);

  TimePoint Now() const { return loop_.driver().Now(); }

  io::Loop& loop_;
  io::Network& network_;
  DnsClientOptions options_;
  Resolver resolver_;
  std::vector<std::shared_ptr<PendingLookUp>> pending_;
  uint64_t questions_ = 0;
};

}  // namespace meridian::visit
