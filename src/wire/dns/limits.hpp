// Every bound of the DNS codec, each with what happens past it.
#pragma once

#include <cstddef>

namespace meridian::wire::dns {

// RFC 1035 section 2.3.4. A longer label or name is malformed.
inline constexpr size_t kMaxNameBytes = 255;  // wire form, with length bytes and the root
inline constexpr size_t kMaxLabelBytes = 63;

inline constexpr size_t kHeaderBytes = 12;
inline constexpr size_t kMaxMessageBytes = 65535;  // what the length before a TCP message can say

// Compression pointers followed for one name. A name of 255 bytes has at most 127 labels, so no
// useful name needs more; past it the message is malformed.
inline constexpr int kMaxCompressionPointers = 127;
// Suffixes a response remembers as targets of compression. Past it names are written whole.
inline constexpr size_t kMaxCompressionTargets = 32;

// A response over UDP may always have 512 bytes (RFC 1035), and never has more than 1232, which
// passes every path unfragmented (DNS flag day 2020). Past it the response is truncated.
inline constexpr size_t kMinUdpResponseBytes = 512;
inline constexpr size_t kMaxUdpResponseBytes = 1232;

// Records beside the question of a query (OPT, TSIG and room for two more), and options in its OPT.
// Past either the query is answered with FORMERR.
inline constexpr size_t kMaxQueryRecords = 4;
inline constexpr size_t kMaxQueryOptions = 32;

// Records of a response that DecodeMessage takes. Past it the response is refused.
inline constexpr size_t kMaxMessageRecords = 2048;

}  // namespace meridian::wire::dns
