#include "wire/dns/response_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/ip.hpp"
#include "wire/dns/edns.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/record.hpp"
#include "wire/dns/service_binding.hpp"

namespace meridian::wire::dns {
namespace {

constexpr size_t kMaxPointerTarget = 0x3fff;
constexpr uint16_t kPointer = 0xc000;
constexpr size_t kMaxStringBytes = 255;

// The OPT of the response.
Edns ResponseEdns(const Edns& query) {
  return {.udp_size = kMaxUdpResponseBytes, .dnssec_ok = query.dnssec_ok, .subnet = query.subnet};
}

size_t OptBytes(const Query& query) {
  return query.edns ? EncodedEdnsBytes(ResponseEdns(*query.edns)) : 0;
}

}  // namespace

size_t UdpResponseLimit(const Query& query) {
  if (!query.edns) return kMinUdpResponseBytes;
  return std::clamp(size_t{query.edns->udp_size}, kMinUdpResponseBytes, kMaxUdpResponseBytes);
}

ResponseWriter::ResponseWriter(const Query& query, MutableBytes buffer)
    : query_(query), buffer_(buffer), writer_(buffer.first(buffer.size() - OptBytes(query))) {
  CHECK(buffer.size() >= kMinUdpResponseBytes);
  EncodeHeader({}, &writer_);  // placeholder; Finish writes the header
  if (!query.question) return;
  AppendName(query.question->name);
  writer_.U16(static_cast<uint16_t>(query.question->type));
  writer_.U16(static_cast<uint16_t>(query.question->record_class));
}

template <class WriteRdata>
void ResponseWriter::Write(const RecordHead& head, RecordType type, RecordClass record_class,
                           WriteRdata write_rdata) {
  CHECK(head.section >= section_);
  section_ = head.section;
  if (truncated_) return;
  size_t start = writer_.size();
  size_t targets = target_count_;
  AppendName(head.owner);
  writer_.U16(static_cast<uint16_t>(type));
  writer_.U16(static_cast<uint16_t>(record_class));
  writer_.U32(head.ttl_seconds);
  writer_.U16(0);
  size_t rdata = writer_.size();
  write_rdata();
  if (!writer_.ok()) {
    writer_.Truncate(start);
    target_count_ = targets;
    truncated_ = head.section != Section::kAdditional;
    return;
  }
  writer_.PatchU16(rdata - 2, static_cast<uint16_t>(writer_.size() - rdata));
  ++counts_[static_cast<size_t>(head.section)];
}

void ResponseWriter::Address(const RecordHead& head, const IpAddress& address) {
  Write(head, address.is_v4() ? RecordType::kA : RecordType::kAaaa, RecordClass::kIn,
        [&] { writer_.Append(address.bytes()); });
}

void ResponseWriter::NameServer(const RecordHead& head, const Name& host) {
  Write(head, RecordType::kNs, RecordClass::kIn, [&] { AppendName(host); });
}

void ResponseWriter::CanonicalName(const RecordHead& head, const Name& target) {
  Write(head, RecordType::kCname, RecordClass::kIn, [&] { AppendName(target); });
}

void ResponseWriter::StartOfAuthority(const RecordHead& head, const SoaData& soa) {
  Write(head, RecordType::kSoa, RecordClass::kIn, [&] {
    AppendName(soa.primary);
    AppendName(soa.mailbox);
    for (uint32_t field : {soa.serial, soa.refresh_seconds, soa.retry_seconds, soa.expire_seconds,
                           soa.minimum_seconds}) {
      writer_.U32(field);
    }
  });
}

void ResponseWriter::Https(const RecordHead& head, uint16_t priority,
                           const ServiceBinding& binding) {
  Write(head, RecordType::kHttps, RecordClass::kIn,
        [&] { EncodeServiceBinding(priority, binding, &writer_); });
}

void ResponseWriter::Text(const RecordHead& head, RecordType type,
                          std::span<const std::string_view> strings) {
  Write(head, type, RecordClass::kIn, [&] {
    for (std::string_view text : strings) {
      CHECK(text.size() <= kMaxStringBytes);
      writer_.U8(static_cast<uint8_t>(text.size()));
      writer_.Append(AsBytes(text));
    }
  });
}

void ResponseWriter::Opaque(const RecordHead& head, RecordType type, RecordClass record_class,
                            Bytes rdata) {
  Write(head, type, record_class, [&] { writer_.Append(rdata); });
}

void ResponseWriter::AppendName(const Name& name) {
  Bytes rest = name.wire();
  while (rest[0] != 0) {
    uint16_t target = FindTarget(rest);
    if (target != 0) {
      writer_.U16(kPointer | target);
      return;
    }
    if (target_count_ < targets_.size() && writer_.size() <= kMaxPointerTarget) {
      targets_[target_count_++] = static_cast<uint16_t>(writer_.size());
    }
    size_t label = size_t{1} + rest[0];
    writer_.Append(rest.first(label));
    rest = rest.subspan(label);
  }
  writer_.U8(0);
}

uint16_t ResponseWriter::FindTarget(Bytes suffix) const {
  for (size_t i = 0; i < target_count_; ++i) {
    if (IsNameAt(targets_[i], suffix)) return targets_[i];
  }
  return 0;
}

// AppendName wrote all targets: whole labels, and pointers only backwards. The last target may
// belong to a name that is being written, or to a record that will be undone, so every step checks
// the end.
bool ResponseWriter::IsNameAt(size_t offset, Bytes suffix) const {
  Bytes written = writer_.written();
  while (offset < written.size()) {
    size_t length = written[offset];
    if (length > kMaxLabelBytes) {
      if (offset + 1 >= written.size()) return false;
      offset = (length << 8 | written[offset + 1]) & kMaxPointerTarget;
      continue;
    }
    size_t label = 1 + length;
    if (label > suffix.size() || label > written.size() - offset) return false;
    for (size_t i = 0; i < label; ++i) {
      if (FoldCase(written[offset + i]) != FoldCase(suffix[i])) return false;
    }
    if (length == 0) return true;
    offset += label;
    suffix = suffix.subspan(label);
  }
  return false;
}

size_t ResponseWriter::Finish() {
  size_t size = writer_.size();
  auto code = static_cast<uint16_t>(rcode_);
  ByteWriter header(buffer_);
  EncodeHeader({.id = query_.id,
                .opcode = query_.opcode,
                .response = true,
                .authoritative = authoritative_,
                .truncated = truncated_,
                .recursion_desired = query_.recursion_desired,
                .low_rcode = static_cast<uint8_t>(code & 0xf),
                .question_count = static_cast<uint16_t>(query_.question ? 1 : 0),
                .answer_count = counts_[0],
                .authority_count = counts_[1],
                .additional_count = static_cast<uint16_t>(counts_[2] + (query_.edns ? 1 : 0))},
               &header);
  if (!query_.edns) return size;
  Edns edns = ResponseEdns(*query_.edns);
  edns.upper_rcode = static_cast<uint8_t>(code >> 4);
  if (edns.subnet) edns.subnet->scope_length = subnet_scope_;
  ByteWriter opt(buffer_.subspan(size));
  EncodeEdns(edns, &opt);
  return size + opt.size();
}

}  // namespace meridian::wire::dns
