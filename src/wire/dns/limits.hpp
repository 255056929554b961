// Every limit of the DNS codec, and the effect of exceeding it.
#pragma once

#include <cstddef>

namespace meridian::wire::dns {

// RFC 1035 section 2.3.4. A longer label or name is malformed.
inline constexpr size_t kMaxNameBytes = 255;  // wire form, with length bytes and the root
inline constexpr size_t kMaxLabelBytes = 63;

inline constexpr size_t kHeaderBytes = 12;
inline constexpr size_t kMaxMessageBytes = 65535;  // the largest length in front of a TCP message

// Limit of compression pointers in one name. A name of 255 bytes has at most 127 labels, so no
// useful name needs more; past it the message is malformed.
inline constexpr int kMaxCompressionPointers = 127;
// Limit of suffixes that a response keeps as targets of compression. Past it names are written
// whole.
inline constexpr size_t kMaxCompressionTargets = 32;

// A UDP response may always have 512 bytes (RFC 1035), and never has more than 1232, which passes
// every path unfragmented (DNS flag day 2020). Past it the response is truncated.
inline constexpr size_t kMinUdpResponseBytes = 512;
inline constexpr size_t kMaxUdpResponseBytes = 1232;

// Limits of the records beside the question of a query (OPT, TSIG and two more), and of the options
// in its OPT. Past either limit the answer is FORMERR.
inline constexpr size_t kMaxQueryRecords = 4;
inline constexpr size_t kMaxQueryOptions = 32;

// Limit of the records of a response that DecodeResponse reads. Past it the response is refused.
inline constexpr size_t kMaxMessageRecords = 2048;

}  // namespace meridian::wire::dns
