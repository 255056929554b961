// The record of a visit, step by step: made by Visitor, read by the code that prints and counts.
// Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/record.hpp"

namespace meridian::visit {

// A data center's name server.
struct DnsServer {
  std::string data_center;
  Endpoint endpoint;
};

// A name server's answer, as cached.
struct DnsAnswer {
  enum class Kind : uint8_t {
    kFound,
    kNoData,  // the name exists, without records of the type
    kNoName,  // NXDOMAIN
  };
  Kind kind = Kind::kFound;
  std::vector<IpAddress> addresses{};                 // of A and AAAA answers, in their order
  std::vector<wire::dns::ServiceBinding> services{};  // of HTTPS answers, by priority
  uint32_t ttl_seconds = 0;
  std::optional<uint8_t> subnet_scope{};  // bits of the client subnet that the answer is for
};

// A query to a server.
struct DnsTry {
  wire::dns::Question question;
  DnsServer server;
  bool tcp = false;  // over TCP, because the UDP answer was truncated
  Duration took{};
  Result<DnsAnswer> answer;
};

// An address to try.
struct Address {
  Endpoint endpoint;
  std::string data_center;  // empty: none of the site's has this address
};

// The response's path through the site, from the field `Meridian-Path`. Empty where the field has
// no value.
struct ResponsePath {
  std::string edge;
  std::string datacenter;
  std::string instance;

  bool operator==(const ResponsePath&) const = default;
};

// `edge=us-west datacenter=us-west instance=us-west-1`. Invalid names are left out.
ResponsePath ParseResponsePath(std::string_view field);

// A GET at an address. Steps that were not reached have no time. With an error, the last step that
// has a time failed.
struct Attempt {
  Address address;
  std::optional<Duration> connect{};
  std::optional<Duration> secure{};   // the TLS handshake
  std::optional<Duration> request{};  // from sending it to the last byte of the response
  int status = 0;                     // 0: no response
  uint64_t body_bytes = 0;
  std::string location{};  // of a redirection
  ResponsePath path{};
  std::optional<Error> error{};
};

// Invariant: either there was no address to try (`problem`) or there is an attempt. All attempts
// but the last failed with an error that permits falling back.
struct Visit {
  std::vector<DnsTry> dns{};  // empty: the answers were cached
  std::vector<Attempt> attempts{};
  std::optional<Error> problem{};
  Duration took{};  // from the due time to the last byte
};

// Whether a visitor may try the next address after `error`: the GET got no response.
bool MayFallBack(const Error& error);

// True without a response, or with a 5xx.
bool Failed(const Visit& visit);
// True if it tried more than the first address.
bool FellBack(const Visit& visit);
// The data center of the instance that answered, else of the edge, else of the address. Call only
// for answered visits.
std::string ServedBy(const Visit& visit);
// Why it failed, in a few words that are the same for the same cause: "refused", "status 503".
std::string FailureOf(const Visit& visit);

}  // namespace meridian::visit
