// What one visit went through, step by step: made by Visitor, read by whoever prints or counts.
// Values; owned by whoever holds them.
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

// What a name server answered, as a cache keeps it.
struct DnsAnswer {
  enum class Kind : uint8_t {
    kFound,
    kNoData,  // the name is there, without records of the type
    kNoName,  // NXDOMAIN
  };
  Kind kind = Kind::kFound;
  std::vector<IpAddress> addresses{};                 // to A and AAAA, as they came
  std::vector<wire::dns::ServiceBinding> services{};  // to HTTPS, by priority
  uint32_t ttl_seconds = 0;
  std::optional<uint8_t> subnet_scope{};  // bits of the client subnet that the answer is for
};

// One question to one server.
struct DnsTry {
  wire::dns::Question question;
  DnsServer server;
  bool tcp = false;  // the answer did not fit a datagram
  Duration took{};
  Result<DnsAnswer> answer;
};

// Where to knock, and why there.
struct Address {
  Endpoint endpoint;
  std::string data_center;  // empty: none of the site's has this address
};

// Who passed the response on: what `Meridian-Path` says. Empty where it says nothing.
struct ResponsePath {
  std::string edge;
  std::string datacenter;
  std::string instance;

  bool operator==(const ResponsePath&) const = default;
};

// `edge=us-west datacenter=us-west instance=us-west-1`. A value that is no name is left out.
ResponsePath ParseResponsePath(std::string_view field);

// One GET at one address. A step that was not come to has no time; the last one that has a time is
// the one that failed, if there is an error.
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

// Invariant: either there was no address to try (`problem`) or there is an attempt; all but the
// last failed in a way that lets a visitor try the next.
struct Visit {
  std::vector<DnsTry> dns{};  // none: the answers were still known
  std::vector<Attempt> attempts{};
  std::optional<Error> problem{};
  Duration took{};  // from when it was due to the last byte
};

// Whether a visitor may go to the next address after it: nobody answered the GET.
bool MayFallBack(const Error& error);

// No response, or one that says that the server failed (5xx).
bool Failed(const Visit& visit);
// It tried another address than the first.
bool FellBack(const Visit& visit);
// The data center whose instance answered, else whose edge, else whose address it is. Only of a
// visit that was answered.
std::string ServedBy(const Visit& visit);
// Why it failed, in a few words that are the same for the same cause: "refused", "status 503".
std::string FailureOf(const Visit& visit);

}  // namespace meridian::visit
