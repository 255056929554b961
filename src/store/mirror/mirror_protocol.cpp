#include "store/mirror/mirror_protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/limits.hpp"

namespace meridian::store {
namespace {

// Bodies are short and written field by field; records and blocks are not copied here.
class BodyWriter {
 public:
  explicit BodyWriter(FrameType type) : type_(type) {}
  void U8(uint8_t value) { Put(value, 1); }
  void U32(uint32_t value) { Put(value, 4); }
  void U64(uint64_t value) { Put(value, 8); }
  void Text(std::string_view text, size_t most) {
    text = text.substr(0, most);
    Put(text.size(), 2);
    body_.insert(body_.end(), text.begin(), text.end());
  }
  std::vector<uint8_t> Frame() const { return EncodeFrame(type_, body_); }

 private:
  void Put(uint64_t value, size_t width) {
    for (size_t i = width; i > 0; --i)
      body_.push_back(static_cast<uint8_t>(value >> (8 * (i - 1))));
  }

  FrameType type_;
  std::vector<uint8_t> body_;
};

std::string ReadText(ByteReader& reader) {
  size_t bytes = reader.U16();
  return std::string(AsText(reader.Take(bytes)));
}

template <class Message>
Result<Message> Finish(const ByteReader& reader, Message message, std::string_view name) {
  if (!reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "a {} of another length than its fields have", name);
  }
  return message;
}

SourceState ReadSourceState(ByteReader& reader) {
  SourceState state;
  state.epoch = reader.U32();
  state.end_offset = reader.U64();
  state.now = {reader.U64()};
  state.clock.asked_us = static_cast<int64_t>(reader.U64());
  state.clock.received_us = static_cast<int64_t>(reader.U64());
  state.clock.answered_us = static_cast<int64_t>(reader.U64());
  return state;
}

void WriteSourceState(const SourceState& state, MutableBytes into) {
  ByteWriter writer(into);
  writer.U32(state.epoch);
  writer.U64(state.end_offset);
  writer.U64(state.now.bits);
  writer.U64(static_cast<uint64_t>(state.clock.asked_us));
  writer.U64(static_cast<uint64_t>(state.clock.received_us));
  writer.U64(static_cast<uint64_t>(state.clock.answered_us));
}

bool IsFrameType(uint8_t type) {
  return type >= static_cast<uint8_t>(FrameType::kHello) &&
         type <= static_cast<uint8_t>(FrameType::kAck);
}

}  // namespace

std::string_view RefusalName(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kProtocol:
      return "protocol";
    case RefusalReason::kVersion:
      return "version";
    case RefusalReason::kOtherSite:
      return "another site";
    case RefusalReason::kNotAllowed:
      return "not allowed";
    case RefusalReason::kUnknownLog:
      return "unknown log";
    case RefusalReason::kOtherLog:
      return "another log";
    case RefusalReason::kStaleEpoch:
      return "stale epoch";
    case RefusalReason::kDiverged:
      return "diverged";
    case RefusalReason::kClockAhead:
      return "clock from the future";
    case RefusalReason::kOutOfReach:
      return "out of reach";
    case RefusalReason::kTooManyFollowers:
      return "too many followers";
  }
  return "unknown";
}

Result<size_t> FrameBytes(Bytes bytes, size_t most) {
  if (bytes.size() < kFrameHeaderBytes) return size_t{0};
  ByteReader reader(bytes);
  uint32_t body = reader.U32();
  uint8_t type = reader.U8();
  if (!IsFrameType(type)) return Fail(Errc::kInvalid, "a frame of type {}", type);
  if (body > most) {
    return Fail(Errc::kTooLarge, "a frame of {} bytes; at most {} are allowed", body, most);
  }
  return kFrameHeaderBytes + body;
}

Frame ParseFrame(Bytes bytes) {
  return {.type = static_cast<FrameType>(bytes[4]), .body = bytes.subspan(kFrameHeaderBytes)};
}

void AppendFrameHeader(FrameType type, size_t body_bytes, std::vector<uint8_t>& into) {
  uint8_t header[kFrameHeaderBytes];
  ByteWriter writer(header);
  writer.U32(static_cast<uint32_t>(body_bytes));
  writer.U8(static_cast<uint8_t>(type));
  into.insert(into.end(), header, header + kFrameHeaderBytes);
}

std::vector<uint8_t> EncodeFrame(FrameType type, Bytes body) {
  std::vector<uint8_t> frame;
  frame.reserve(kFrameHeaderBytes + body.size());
  AppendFrameHeader(type, body.size(), frame);
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

std::vector<uint8_t> EncodeHello(const Hello& hello) {
  BodyWriter writer(FrameType::kHello);
  writer.U32(hello.version);
  writer.Text(hello.site, kMaxNameBytes);
  writer.Text(hello.data_center, kMaxNameBytes);
  writer.Text(hello.log, kMaxNameBytes);
  writer.U64(hello.log_id);
  writer.U64(hello.next_offset);
  writer.U32(hello.newest_epoch);
  writer.U32(hello.least_epoch);
  writer.U64(hello.now.bits);
  return writer.Frame();
}

std::vector<uint8_t> EncodeWelcome(const Welcome& welcome) {
  BodyWriter writer(FrameType::kWelcome);
  writer.Text(welcome.data_center, kMaxNameBytes);
  writer.U64(welcome.log_id);
  writer.U32(welcome.epoch);
  writer.U64(welcome.end_offset);
  writer.U64(welcome.now.bits);
  return writer.Frame();
}

std::vector<uint8_t> EncodeRefusal(const Refusal& refusal) {
  BodyWriter writer(FrameType::kRefuse);
  writer.U8(static_cast<uint8_t>(refusal.reason));
  writer.Text(refusal.text, kMaxRefusalTextBytes);
  return writer.Frame();
}

std::vector<uint8_t> EncodeAck(const Ack& ack) {
  BodyWriter writer(FrameType::kAck);
  writer.U64(ack.end_offset);
  writer.U64(ack.now.bits);
  writer.U64(static_cast<uint64_t>(ack.asked_us));
  return writer.Frame();
}

std::vector<uint8_t> EncodeHeartbeat(const SourceState& state) {
  uint8_t body[kSourceStateBytes];
  WriteSourceState(state, body);
  return EncodeFrame(FrameType::kHeartbeat, body);
}

std::vector<uint8_t> EncodeRecordsHead(const SourceState& state, size_t record_bytes) {
  std::vector<uint8_t> head;
  AppendFrameHeader(FrameType::kRecords, kSourceStateBytes + record_bytes, head);
  head.resize(kFrameHeaderBytes + kSourceStateBytes);
  WriteSourceState(state, MutableBytes(head).subspan(kFrameHeaderBytes));
  return head;
}

Result<Hello> ParseHello(Bytes body) {
  ByteReader reader(body);
  Hello hello;
  hello.version = reader.U32();
  hello.site = ReadText(reader);
  hello.data_center = ReadText(reader);
  hello.log = ReadText(reader);
  hello.log_id = reader.U64();
  hello.next_offset = reader.U64();
  hello.newest_epoch = reader.U32();
  hello.least_epoch = reader.U32();
  hello.now = {reader.U64()};
  return Finish(reader, std::move(hello), "hello");
}

Result<Welcome> ParseWelcome(Bytes body) {
  ByteReader reader(body);
  Welcome welcome;
  welcome.data_center = ReadText(reader);
  welcome.log_id = reader.U64();
  welcome.epoch = reader.U32();
  welcome.end_offset = reader.U64();
  welcome.now = {reader.U64()};
  return Finish(reader, std::move(welcome), "welcome");
}

Result<Refusal> ParseRefusal(Bytes body) {
  ByteReader reader(body);
  uint8_t reason = reader.U8();
  if (reason < static_cast<uint8_t>(RefusalReason::kProtocol) ||
      reason > static_cast<uint8_t>(RefusalReason::kTooManyFollowers)) {
    return Fail(Errc::kInvalid, "a refusal for reason {}", reason);
  }
  Refusal refusal{.reason = static_cast<RefusalReason>(reason), .text = ReadText(reader)};
  return Finish(reader, std::move(refusal), "refusal");
}

Result<Ack> ParseAck(Bytes body) {
  ByteReader reader(body);
  Ack ack;
  ack.end_offset = reader.U64();
  ack.now = {reader.U64()};
  ack.asked_us = static_cast<int64_t>(reader.U64());
  return Finish(reader, ack, "acknowledgement");
}

Result<SourceState> ParseHeartbeat(Bytes body) {
  ByteReader reader(body);
  SourceState state = ReadSourceState(reader);
  return Finish(reader, state, "heartbeat");
}

Result<SourceState> ParseSourceState(Bytes body) {
  ByteReader reader(body);
  SourceState state = ReadSourceState(reader);
  if (!reader.ok()) return Fail(Errc::kInvalid, "records without the state of their source");
  return state;
}

}  // namespace meridian::store
