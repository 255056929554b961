#include "wire/dns/record.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/service_binding.hpp"

namespace meridian::wire::dns {
namespace {

// A record's RDATA within its message, because names in it may point into the whole message.
struct Rdata {
  Bytes message;
  size_t offset;
  size_t size;

  Bytes bytes() const { return message.subspan(offset, size); }
};

std::unexpected<Error> Malformed(RecordType type) {
  return Fail(Errc::kInvalid, "malformed DNS record of type {}", static_cast<int>(type));
}

Result<RecordData> DecodeAddress(RecordType type, const Rdata& rdata) {
  if (rdata.size != (type == RecordType::kA ? 4U : 16U)) return Malformed(type);
  return *IpAddress::FromBytes(rdata.bytes());
}

Result<RecordData> DecodeNameData(RecordType type, const Rdata& rdata) {
  NameData data;
  size_t offset = rdata.offset;
  bool decoded = Name::Decode(rdata.message, &offset, &data.name);
  if (!decoded || offset != rdata.offset + rdata.size) return Malformed(type);
  return data;
}

Result<RecordData> DecodeSoa(const Rdata& rdata) {
  SoaData soa;
  size_t offset = rdata.offset;
  size_t end = rdata.offset + rdata.size;
  if (!Name::Decode(rdata.message, &offset, &soa.primary) ||
      !Name::Decode(rdata.message, &offset, &soa.mailbox) || offset > end) {
    return Malformed(RecordType::kSoa);
  }
  ByteReader reader(rdata.message.subspan(offset, end - offset));
  soa.serial = reader.U32();
  soa.refresh_seconds = reader.U32();
  soa.retry_seconds = reader.U32();
  soa.expire_seconds = reader.U32();
  soa.minimum_seconds = reader.U32();
  if (!reader.ok() || reader.remaining() != 0) return Malformed(RecordType::kSoa);
  return soa;
}

Result<RecordData> DecodeText(RecordType type, const Rdata& rdata) {
  TextData text;
  ByteReader reader(rdata.bytes());
  while (reader.ok() && reader.remaining() > 0) {
    uint8_t length = reader.U8();
    text.strings.emplace_back(AsText(reader.Take(length)));
  }
  bool count_fits = type == RecordType::kHinfo ? text.strings.size() == 2 : !text.strings.empty();
  if (!reader.ok() || !count_fits) return Malformed(type);
  return text;
}

Result<RecordData> DecodeBinding(const Rdata& rdata) {
  Result<ServiceBinding> binding = DecodeServiceBinding(rdata.bytes());
  if (!binding) return Fail(binding.error());
  return *std::move(binding);
}

Result<RecordData> DecodeInternetData(RecordType type, const Rdata& rdata) {
  switch (type) {
    case RecordType::kA:
    case RecordType::kAaaa:
      return DecodeAddress(type, rdata);
    case RecordType::kNs:
    case RecordType::kCname:
      return DecodeNameData(type, rdata);
    case RecordType::kSoa:
      return DecodeSoa(rdata);
    case RecordType::kTxt:
    case RecordType::kHinfo:
      return DecodeText(type, rdata);
    case RecordType::kSvcb:
    case RecordType::kHttps:
      return DecodeBinding(rdata);
    case RecordType::kOpt:
    case RecordType::kIxfr:
    case RecordType::kAxfr:
    case RecordType::kAny:
      break;
  }
  Bytes bytes = rdata.bytes();
  return OpaqueData(bytes.begin(), bytes.end());
}

}  // namespace

Result<Record> DecodeRecord(Bytes message, size_t* offset) {
  Record record;
  if (!Name::Decode(message, offset, &record.owner)) {
    return Fail(Errc::kInvalid, "malformed name of a DNS record");
  }
  ByteReader reader(message.subspan(*offset));
  record.type = static_cast<RecordType>(reader.U16());
  record.record_class = static_cast<RecordClass>(reader.U16());
  record.ttl_seconds = reader.U32();
  size_t length = reader.U16();
  Rdata rdata{message, *offset + reader.offset(), length};
  reader.Skip(length);
  if (!reader.ok()) return Fail(Errc::kInvalid, "a DNS record is cut off");
  *offset += reader.offset();

  if (record.record_class != RecordClass::kIn) {
    Bytes bytes = rdata.bytes();
    record.data = OpaqueData(bytes.begin(), bytes.end());
    return record;
  }
  Result<RecordData> data = DecodeInternetData(record.type, rdata);
  if (!data) return Fail(data.error());
  record.data = *std::move(data);
  return record;
}

}  // namespace meridian::wire::dns
