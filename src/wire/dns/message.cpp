#include "wire/dns/message.hpp"

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "wire/dns/name.hpp"

namespace meridian::wire::dns {
namespace {

constexpr uint16_t kResponseBit = 0x8000;
constexpr uint16_t kAuthoritativeBit = 0x0400;
constexpr uint16_t kTruncatedBit = 0x0200;
constexpr uint16_t kRecursionDesiredBit = 0x0100;
constexpr uint16_t kRecursionAvailableBit = 0x0080;
constexpr int kOpcodeShift = 11;

}  // namespace

Header DecodeHeader(ByteReader* reader) {
  Header header;
  header.id = reader->U16();
  uint16_t flags = reader->U16();
  header.opcode = static_cast<Opcode>(flags >> kOpcodeShift & 0xf);
  header.response = (flags & kResponseBit) != 0;
  header.authoritative = (flags & kAuthoritativeBit) != 0;
  header.truncated = (flags & kTruncatedBit) != 0;
  header.recursion_desired = (flags & kRecursionDesiredBit) != 0;
  header.recursion_available = (flags & kRecursionAvailableBit) != 0;
  header.low_rcode = static_cast<uint8_t>(flags & 0xf);
  header.question_count = reader->U16();
  header.answer_count = reader->U16();
  header.authority_count = reader->U16();
  header.additional_count = reader->U16();
  return header;
}

void EncodeHeader(const Header& header, ByteWriter* writer) {
  auto bit = [](bool set, uint16_t mask) { return set ? mask : 0; };
  int flags = static_cast<int>(header.opcode) << kOpcodeShift | (header.low_rcode & 0xf) |
              bit(header.response, kResponseBit) | bit(header.authoritative, kAuthoritativeBit) |
              bit(header.truncated, kTruncatedBit) |
              bit(header.recursion_desired, kRecursionDesiredBit) |
              bit(header.recursion_available, kRecursionAvailableBit);
  writer->U16(header.id);
  writer->U16(static_cast<uint16_t>(flags));
  writer->U16(header.question_count);
  writer->U16(header.answer_count);
  writer->U16(header.authority_count);
  writer->U16(header.additional_count);
}

bool DecodeQuestion(Bytes message, size_t* offset, Question* question) {
  if (!Name::Decode(message, offset, &question->name)) return false;
  ByteReader reader(message.subspan(*offset));
  question->type = static_cast<RecordType>(reader.U16());
  question->record_class = static_cast<RecordClass>(reader.U16());
  *offset += reader.offset();
  return reader.ok();
}

}  // namespace meridian::wire::dns
