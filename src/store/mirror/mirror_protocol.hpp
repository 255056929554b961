// The protocol between a source, which serves logs, and a follower, which copies them. One
// connection carries several streams, each of one log. Pure.
//
//   follower                              source
//   Hello (who)                     ->
//                                   <-    Welcome (who), or Refuse
//   OpenStream (log, from where)    ->
//                                   <-    StreamOpened, or Refuse
//                                   <-    Snapshot, Block...   where its log no longer reaches back
//                                   <-    Records...           as they become durable there
//   Ack...                          ->                         as they become durable here
//                                   <-    Heartbeat            when there is nothing else to say
// Both send Alive at intervals. Either may CloseStream, or Refuse, at any time: on a stream that
// ends the stream, on kWholeConnection the connection. The follower numbers its streams from 1 on,
// and uses no number twice on a connection; so frames that arrive for a stream which has just ended
// are ignored.
//
// A frame: u32 bytes of what follows the type, u8 type, u16 stream, the body. Texts: u16 bytes,
// then UTF-8. Big-endian. Every version's hello begins with its version.
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

inline constexpr uint16_t kMirrorVersion = 4;
inline constexpr size_t kFrameHeaderBytes = 7;
inline constexpr uint16_t kWholeConnection = 0;  // in place of a stream's number

enum class FrameType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kRefuse = 3,
  kRecords = 4,
  kSnapshot = 5,  // body: a snapshot's header (store/snapshot/snapshot_format.hpp)
  kBlock = 6,     // body: a block of it
  kHeartbeat = 7,
  kAck = 8,
  kOpenStream = 9,
  kStreamOpened = 10,
  kCloseStream = 11,  // no body
  kAlive = 12,        // no body
};

struct Hello {
  uint16_t version = kMirrorVersion;
  std::string site;
  std::string data_center;  // the follower's
  HybridTime now;

  bool operator==(const Hello&) const = default;
};

struct Welcome {
  std::string data_center;  // the source's
  HybridTime now;

  bool operator==(const Welcome&) const = default;
};

struct OpenStream {
  std::string log;
  uint64_t log_id = 0;        // of the follower's copy; 0: it has none yet
  uint64_t next_offset = 0;   // of the record that it wants first
  uint32_t newest_epoch = 0;  // of the record before that; 0: it has none
  uint32_t min_epoch = 0;     // that it knows to be in force

  bool operator==(const OpenStream&) const = default;
};

struct StreamOpened {
  uint64_t log_id = 0;
  uint32_t epoch = 0;
  uint64_t end_offset = 0;  // of what is durable

  bool operator==(const StreamOpened&) const = default;
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
  uint64_t end_offset = 0;   // all below is durable at the follower
  uint64_t block_bytes = 0;  // of snapshots' blocks that it has taken on this stream
  HybridTime now;
  int64_t asked_us = 0;  // by the follower's wall clock, for ClockEcho
  // The acknowledgement counts only where all below this offset of the follower's own log of that
  // name was received.
  uint64_t own_offset = 0;

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
  kTooManyStreams = 12,  // on one connection
};

std::string_view RefusalName(RefusalReason reason);

struct Refusal {
  RefusalReason reason = RefusalReason::kProtocol;
  std::string text;

  bool operator==(const Refusal&) const = default;
};

struct Frame {
  FrameType type = FrameType::kHello;
  uint16_t stream = kWholeConnection;
  Bytes body;
};

// The length of the frame at the front of `bytes`, with its header; 0: more bytes are needed.
// kTooLarge: its body has more than `most`; kInvalid: the type is unknown, or there is no stream.
Result<size_t> FrameBytes(Bytes bytes, size_t most);
// Of exactly one frame's bytes, as measured by FrameBytes.
Frame ParseFrame(Bytes bytes);

void AppendFrameHeader(FrameType type, uint16_t stream, size_t body_bytes,
                       std::vector<uint8_t>& into);
std::vector<uint8_t> EncodeFrame(FrameType type, uint16_t stream, Bytes body);
std::vector<uint8_t> EncodeHello(const Hello& hello);
std::vector<uint8_t> EncodeWelcome(const Welcome& welcome);
std::vector<uint8_t> EncodeOpenStream(uint16_t stream, const OpenStream& open);
std::vector<uint8_t> EncodeStreamOpened(uint16_t stream, const StreamOpened& opened);
std::vector<uint8_t> EncodeRefusal(uint16_t stream, const Refusal& refusal);
std::vector<uint8_t> EncodeAck(uint16_t stream, const Ack& ack);
std::vector<uint8_t> EncodeHeartbeat(uint16_t stream, const SourceState& state);
// The frame's beginning, before `record_bytes` of encoded records.
std::vector<uint8_t> EncodeRecordsHead(uint16_t stream, const SourceState& state,
                                       size_t record_bytes);

// Of frames' bodies. kInvalid.
// A hello of another version has no other fields than that.
Result<Hello> ParseHello(Bytes body);
Result<Welcome> ParseWelcome(Bytes body);
Result<OpenStream> ParseOpenStream(Bytes body);
Result<StreamOpened> ParseStreamOpened(Bytes body);
Result<Refusal> ParseRefusal(Bytes body);
Result<Ack> ParseAck(Bytes body);
Result<SourceState> ParseHeartbeat(Bytes body);
// The records follow it.
Result<SourceState> ParseSourceState(Bytes body);

}  // namespace meridian::store
