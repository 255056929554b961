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
  explicit BodyWriter(FrameType type, uint16_t stream) : type_(type), stream_(stream) {}
  void U8(uint8_t value) { Put(value, 1); }
  void U16(uint16_t value) { Put(value, 2); }
  void U32(uint32_t value) { Put(value, 4); }
  void U64(uint64_t value) { Put(value, 8); }
  void Text(std::string_view text, size_t most) {
    text = text.substr(0, most);
    Put(text.size(), 2);
    body_.insert(body_.end(), text.begin(), text.end());
  }
  std::vector<uint8_t> Frame() const { return EncodeFrame(type_, stream_, body_); }

 private:
  void Put(uint64_t value, size_t width) {
    for (size_t i = width; i > 0; --i)
      body_.push_back(static_cast<uint8_t>(value >> (8 * (i - 1))));
  }

  FrameType type_;
  uint16_t stream_;
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
         type <= static_cast<uint8_t>(FrameType::kAlive);
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
    case RefusalReason::kTooManyStreams:
      return "too many streams";
  }
  return "unknown";
}

Result<size_t> FrameBytes(Bytes bytes, size_t most) {
  constexpr size_t kBeforeStream = kFrameHeaderBytes - sizeof(uint16_t);
  if (bytes.size() < kBeforeStream) return size_t{0};
  ByteReader reader(bytes);
  uint32_t rest = reader.U32();
  uint8_t type = reader.U8();
  if (!IsFrameType(type)) return Fail(Errc::kInvalid, "a frame of type {}", type);
  if (rest < sizeof(uint16_t)) return Fail(Errc::kInvalid, "a frame without a stream");
  size_t body = rest - sizeof(uint16_t);
  if (body > most) {
    return Fail(Errc::kTooLarge, "a frame of {} bytes; at most {} are allowed", body, most);
  }
  return kFrameHeaderBytes + body;
}

Frame ParseFrame(Bytes bytes) {
  ByteReader reader(bytes);
  (void)reader.U32();
  auto type = static_cast<FrameType>(reader.U8());
  uint16_t stream = reader.U16();
  return {.type = type, .stream = stream, .body = bytes.subspan(kFrameHeaderBytes)};
}

void AppendFrameHeader(FrameType type, uint16_t stream, size_t body_bytes,
                       std::vector<uint8_t>& into) {
  uint8_t header[kFrameHeaderBytes];
  ByteWriter writer(header);
  writer.U32(static_cast<uint32_t>(sizeof(stream) + body_bytes));
  writer.U8(static_cast<uint8_t>(type));
  writer.U16(stream);
  into.insert(into.end(), header, header + kFrameHeaderBytes);
}

std::vector<uint8_t> EncodeFrame(FrameType type, uint16_t stream, Bytes body) {
  std::vector<uint8_t> frame;
  frame.reserve(kFrameHeaderBytes + body.size());
  AppendFrameHeader(type, stream, body.size(), frame);
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

std::vector<uint8_t> EncodeHello(const Hello& hello) {
  BodyWriter writer(FrameType::kHello, kWholeConnection);
  writer.U16(hello.version);
  writer.Text(hello.site, kMaxNameBytes);
  writer.Text(hello.data_center, kMaxNameBytes);
  writer.U64(hello.now.bits);
  return writer.Frame();
}

std::vector<uint8_t> EncodeWelcome(const Welcome& welcome) {
  BodyWriter writer(FrameType::kWelcome, kWholeConnection);
  writer.Text(welcome.data_center, kMaxNameBytes);
  writer.U64(welcome.now.bits);
  return writer.Frame();
}

std::vector<uint8_t> EncodeOpenStream(uint16_t stream, const OpenStream& open) {
  BodyWriter writer(FrameType::kOpenStream, stream);
  writer.Text(open.log, kMaxNameBytes);
  writer.U64(open.log_id);
  writer.U64(open.next_offset);
  writer.U32(open.newest_epoch);
  writer.U32(open.min_epoch);
  return writer.Frame();
}

std::vector<uint8_t> EncodeStreamOpened(uint16_t stream, const StreamOpened& opened) {
  BodyWriter writer(FrameType::kStreamOpened, stream);
  writer.U64(opened.log_id);
  writer.U32(opened.epoch);
  writer.U64(opened.end_offset);
  return writer.Frame();
}

std::vector<uint8_t> EncodeRefusal(uint16_t stream, const Refusal& refusal) {
  BodyWriter writer(FrameType::kRefuse, stream);
  writer.U8(static_cast<uint8_t>(refusal.reason));
  writer.Text(refusal.text, kMaxRefusalTextBytes);
  return writer.Frame();
}

std::vector<uint8_t> EncodeAck(uint16_t stream, const Ack& ack) {
  BodyWriter writer(FrameType::kAck, stream);
  writer.U64(ack.end_offset);
  writer.U64(ack.block_bytes);
  writer.U64(ack.now.bits);
  writer.U64(static_cast<uint64_t>(ack.asked_us));
  writer.U64(ack.own_offset);
  return writer.Frame();
}

std::vector<uint8_t> EncodeHeartbeat(uint16_t stream, const SourceState& state) {
  uint8_t body[kSourceStateBytes];
  WriteSourceState(state, body);
  return EncodeFrame(FrameType::kHeartbeat, stream, body);
}

std::vector<uint8_t> EncodeRecordsHead(uint16_t stream, const SourceState& state,
                                       size_t record_bytes) {
  std::vector<uint8_t> head;
  AppendFrameHeader(FrameType::kRecords, stream, kSourceStateBytes + record_bytes, head);
  head.resize(kFrameHeaderBytes + kSourceStateBytes);
  WriteSourceState(state, MutableBytes(head).subspan(kFrameHeaderBytes));
  return head;
}

Result<Hello> ParseHello(Bytes body) {
  ByteReader reader(body);
  Hello hello;
  hello.version = reader.U16();
  if (reader.ok() && hello.version != kMirrorVersion) return hello;
  hello.site = ReadText(reader);
  hello.data_center = ReadText(reader);
  hello.now = {reader.U64()};
  return Finish(reader, std::move(hello), "hello");
}

Result<Welcome> ParseWelcome(Bytes body) {
  ByteReader reader(body);
  Welcome welcome;
  welcome.data_center = ReadText(reader);
  welcome.now = {reader.U64()};
  return Finish(reader, std::move(welcome), "welcome");
}

Result<OpenStream> ParseOpenStream(Bytes body) {
  ByteReader reader(body);
  OpenStream open;
  open.log = ReadText(reader);
  open.log_id = reader.U64();
  open.next_offset = reader.U64();
  open.newest_epoch = reader.U32();
  open.min_epoch = reader.U32();
  return Finish(reader, std::move(open), "request for a stream");
}

Result<StreamOpened> ParseStreamOpened(Bytes body) {
  ByteReader reader(body);
  StreamOpened opened;
  opened.log_id = reader.U64();
  opened.epoch = reader.U32();
  opened.end_offset = reader.U64();
  return Finish(reader, opened, "stream's opening");
}

Result<Refusal> ParseRefusal(Bytes body) {
  ByteReader reader(body);
  uint8_t reason = reader.U8();
  if (reason < static_cast<uint8_t>(RefusalReason::kProtocol) ||
      reason > static_cast<uint8_t>(RefusalReason::kTooManyStreams)) {
    return Fail(Errc::kInvalid, "a refusal for reason {}", reason);
  }
  Refusal refusal{.reason = static_cast<RefusalReason>(reason), .text = ReadText(reader)};
  return Finish(reader, std::move(refusal), "refusal");
}

Result<Ack> ParseAck(Bytes body) {
  ByteReader reader(body);
  Ack ack;
  ack.end_offset = reader.U64();
  ack.block_bytes = reader.U64();
  ack.now = {reader.U64()};
  ack.asked_us = static_cast<int64_t>(reader.U64());
  ack.own_offset = reader.U64();
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
