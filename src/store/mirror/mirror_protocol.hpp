// The protocol between a source, which serves a log, and a follower, which copies it. Pure.
//
//   follower                              source
//   Hello (which log, from where)   ->
//                                   <-    Welcome, or Refuse
//                                   <-    Snapshot, Block...   where its log no longer reaches back
//                                   <-    Records...           as they become durable there
//   Ack...                          ->                         as they become durable here
//                                   <-    Heartbeat            when there is nothing else to say
// Either may Refuse at any time, and closes.
//
// A frame: u32 bytes of the body, u8 type, the body. Texts: u16 bytes, then UTF-8. Big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "store/mirror/clock_offset.hpp"

namespace meridian::store {

inline constexpr uint32_t kMirrorVersion = 2;
inline constexpr size_t kFrameHeaderBytes = 5;

enum class FrameType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kRefuse = 3,
  kRecords = 4,
  kSnapshot = 5,  // body: a snapshot's header (store/snapshot/snapshot_format.hpp)
  kBlock = 6,     // body: a block of it
  kHeartbeat = 7,
  kAck = 8,
};

struct Hello {
  uint32_t version = kMirrorVersion;
  std::string site;
  std::string data_center;  // the follower's
  std::string log;
  uint64_t log_id = 0;        // of its copy; 0: it has none yet
  uint64_t next_offset = 0;   // of the record that it wants first
  uint32_t newest_epoch = 0;  // of the record before that; 0: it has none
  uint32_t least_epoch = 0;   // that it knows to be in force
  HybridTime now;

  bool operator==(const Hello&) const = default;
};

struct Welcome {
  std::string data_center;  // the source's
  uint64_t log_id = 0;
  uint32_t epoch = 0;
  uint64_t end_offset = 0;  // of what is durable
  HybridTime now;

  bool operator==(const Welcome&) const = default;
};

// Before records, and alone as a heartbeat.
struct SourceState {
  uint32_t epoch = 0;
  uint64_t end_offset = 0;
  HybridTime now;
  ClockEcho clock;  // of the last acknowledgement

  bool operator==(const SourceState&) const = default;
};
inline constexpr size_t kSourceStateBytes = 44;

struct Ack {
  uint64_t end_offset = 0;  // all below is durable at the follower
  HybridTime now;
  int64_t asked_us = 0;  // by the follower's wall clock, for ClockEcho

  bool operator==(const Ack&) const = default;
};

enum class RefusalReason : uint8_t {
  kProtocol = 1,     // something that makes no sense here
  kVersion = 2,      // of this protocol
  kOtherSite = 3,    //
  kNotAllowed = 4,   // the certificate is not that data center's
  kUnknownLog = 5,   //
  kOtherLog = 6,     // the copy is of another log of that name
  kStaleEpoch = 7,   // the source was replaced by another writer
  kDiverged = 8,     // the copy holds what the source does not
  kClockAhead = 9,   // a stamp from too far in the future
  kOutOfReach = 10,  // neither log nor snapshot has what comes next
  kTooManyFollowers = 11,
};

std::string_view RefusalName(RefusalReason reason);

struct Refusal {
  RefusalReason reason = RefusalReason::kProtocol;
  std::string text;

  bool operator==(const Refusal&) const = default;
};

struct Frame {
  FrameType type = FrameType::kHello;
  Bytes body;
};

// The length of the frame at the front of `bytes`, with its header; 0: more bytes are needed.
// kTooLarge: its body has more than `most`; kInvalid: the type is unknown.
Result<size_t> FrameBytes(Bytes bytes, size_t most);
// Of exactly one frame's bytes, as measured by FrameBytes.
Frame ParseFrame(Bytes bytes);

void AppendFrameHeader(FrameType type, size_t body_bytes, std::vector<uint8_t>& into);
std::vector<uint8_t> EncodeFrame(FrameType type, Bytes body);
std::vector<uint8_t> EncodeHello(const Hello& hello);
std::vector<uint8_t> EncodeWelcome(const Welcome& welcome);
std::vector<uint8_t> EncodeRefusal(const Refusal& refusal);
std::vector<uint8_t> EncodeAck(const Ack& ack);
std::vector<uint8_t> EncodeHeartbeat(const SourceState& state);
// The frame's beginning, before `record_bytes` of encoded records.
std::vector<uint8_t> EncodeRecordsHead(const SourceState& state, size_t record_bytes);

// Of frames' bodies. kInvalid.
Result<Hello> ParseHello(Bytes body);
Result<Welcome> ParseWelcome(Bytes body);
Result<Refusal> ParseRefusal(Bytes body);
Result<Ack> ParseAck(Bytes body);
Result<SourceState> ParseHeartbeat(Bytes body);
// The records follow it.
Result<SourceState> ParseSourceState(Bytes body);

}  // namespace meridian::store
