// Turns the bytes of a query into the bytes of its response. Pure; any thread. Hot path: does not
// allocate, lock or format.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "dns/snapshot.hpp"

namespace meridian::dns {

enum class Transport : uint8_t { kUdp, kTcp };

struct QueryPacket {
  Bytes message;
  IpAddress source;
  Transport transport = Transport::kUdp;
};

enum class ReplyKind : uint8_t {
  kDropped,  // not a query: no response
  kAnswer,
  kNoData,
  kNxDomain,
  kRefused,
  kFormErr,
  kNotImp,
  kBadVers,
};
inline constexpr size_t kReplyKinds = 8;

struct Reply {
  size_t bytes = 0;
  ReplyKind kind = ReplyKind::kDropped;
  bool truncated = false;
  std::optional<uint8_t> steered_to;  // the data center that a steered answer names first
};

// Writes the response to `out`, which has at least kMaxUdpResponseBytes or, for TCP,
// kMaxTcpResponseBytes (else CHECK). Outside the zone, in classes other than IN, and to zone
// transfers: REFUSED. ANY: one HINFO record (RFC 8482). If the chosen data center has no address of
// the queried family, the next choice that has one is answered.
Reply Respond(const Snapshot& snapshot, const QueryPacket& packet, MutableBytes out);

}  // namespace meridian::dns
