// Any bytes as a DNS message. Nothing outside them is read (the sanitizer sees to that), and:
// a query that was decoded encodes to one that decodes the same; the response to any message that
// is not dropped can be decoded, keeps to its size and echoes no more than was sent; a response
// that was decoded holds the same records after encoding.
#include <array>
#include <vector>

#include "wire/dns/query.hpp"
#include "wire/dns/response.hpp"
#include "wire/dns/response_writer.hpp"
#include "wire/dns/service_binding.hpp"

namespace meridian::wire::dns {
namespace {

Rcode RcodeFor(QueryKind kind) {
  switch (kind) {
    case QueryKind::kAnswer:
    case QueryKind::kDrop:
      return Rcode::kNoError;
    case QueryKind::kFormatError:
      return Rcode::kFormErr;
    case QueryKind::kNotImplemented:
      return Rcode::kNotImp;
    case QueryKind::kBadVersion:
      return Rcode::kBadVers;
  }
  return Rcode::kServFail;
}

void CheckQueryRoundTrip(const Query& query) {
  std::array<uint8_t, kMinUdpResponseBytes> buffer;
  size_t size = EncodeQuery(query, buffer);
  Query again;
  CHECK(DecodeQuery(Bytes(buffer).first(size), &again) == QueryKind::kAnswer);
  CHECK(again == query);
}

// What a server might answer to anything.
void WriteAnswer(const Query& query, ResponseWriter* writer) {
  const Name& name = query.question->name;
  ServiceBinding binding{.target = name, .alpn = {"h2"}, .port = 8443, .ipv4_hints = {IpAddress()}};
  writer->SetSubnetScope(24);
  writer->Address({Section::kAnswer, name, 5}, IpAddress::V4(127, 1, 0, 1));
  for (uint16_t priority = 1; priority < 5; ++priority) {
    writer->Https({Section::kAnswer, name, 5}, priority, binding);
  }
  writer->StartOfAuthority({Section::kAuthority, name, 5}, SoaData{name, name, 1, 2, 3, 4, 5});
  writer->NameServer({Section::kAuthority, name, 5}, name);
  writer->Address({Section::kAdditional, name, 5}, IpAddress::V4(127, 1, 0, 1));
}

void CheckResponseTo(const Query& query, QueryKind kind) {
  std::array<uint8_t, kMaxUdpResponseBytes> buffer;
  size_t limit = UdpResponseLimit(query);
  ResponseWriter writer(query, MutableBytes(buffer).first(limit));
  writer.SetRcode(RcodeFor(kind));
  if (kind == QueryKind::kAnswer) WriteAnswer(query, &writer);
  size_t size = writer.Finish();
  CHECK(size <= limit);
  Result<Response> response = DecodeResponse(Bytes(buffer).first(size));
  CHECK(response.has_value());
  CHECK(response->header.id == query.id);
  CHECK(!query.question || Answers(*response, query));
  CHECK(response->edns.has_value() == query.edns.has_value());
  if (!query.edns) return;
  CHECK(response->edns->subnet.has_value() == query.edns->subnet.has_value());
  if (!query.edns->subnet) return;
  CHECK(response->edns->subnet->address == query.edns->subnet->address);
  CHECK(response->edns->subnet->source_length == query.edns->subnet->source_length);
}

struct RecordEncoder {
  ResponseWriter& writer;
  RecordHead head;
  const Record& record;

  void operator()(const OpaqueData& data) const {
    writer.Opaque(head, record.type, record.record_class, data);
  }
  void operator()(const IpAddress& address) const { writer.Address(head, address); }
  void operator()(const NameData& data) const {
    if (record.type == RecordType::kNs) {
      writer.NameServer(head, data.name);
    } else {
      writer.CanonicalName(head, data.name);
    }
  }
  void operator()(const SoaData& soa) const { writer.StartOfAuthority(head, soa); }
  void operator()(const TextData& text) const {
    std::vector<std::string_view> strings(text.strings.begin(), text.strings.end());
    writer.Text(head, record.type, strings);
  }
  void operator()(const ServiceBinding& binding) const {
    if (record.type == RecordType::kHttps) {
      writer.Https(head, binding.priority, binding);
      return;
    }
    std::vector<uint8_t> rdata(kMaxMessageBytes);
    ByteWriter bytes(rdata);
    EncodeServiceBinding(binding.priority, binding, &bytes);
    writer.Opaque(head, record.type, record.record_class, bytes.written());
  }
};

void EncodeSection(Section section, const std::vector<Record>& records, ResponseWriter* writer) {
  for (const Record& record : records) {
    std::visit(RecordEncoder{*writer, {section, record.owner, record.ttl_seconds}, record},
               record.data);
  }
}

void CheckResponseRoundTrip(const Response& response) {
  Query frame{.id = response.header.id,
              .opcode = response.header.opcode,
              .question = response.question,
              .edns = response.edns};
  std::vector<uint8_t> buffer(kMaxMessageBytes);
  ResponseWriter writer(frame, buffer);
  writer.SetRcode(response.rcode);
  EncodeSection(Section::kAnswer, response.answers, &writer);
  EncodeSection(Section::kAuthority, response.authorities, &writer);
  EncodeSection(Section::kAdditional, response.additionals, &writer);
  size_t size = writer.Finish();
  Result<Response> again = DecodeResponse(Bytes(buffer).first(size));
  CHECK(again.has_value());
  // Only a message of nearly 65535 bytes can outgrow them: it may have been compressed better.
  if (again->header.truncated || again->additionals.size() < response.additionals.size()) return;
  CHECK(again->rcode == response.rcode);
  CHECK(again->question == response.question);
  CHECK(again->answers == response.answers);
  CHECK(again->authorities == response.authorities);
  CHECK(again->additionals == response.additionals);
}

void CheckNameText(const Name& name) {
  Result<Name> parsed = Name::Parse(name.ToString());
  CHECK(parsed.has_value() && *parsed == name && parsed->Hash() == name.Hash());
}

void CheckMessage(Bytes message) {
  Query query;
  QueryKind kind = DecodeQuery(message, &query);
  if (query.question) CheckNameText(query.question->name);
  if (kind == QueryKind::kAnswer) CheckQueryRoundTrip(query);
  if (kind != QueryKind::kDrop) CheckResponseTo(query, kind);
  if (Result<Response> response = DecodeResponse(message)) CheckResponseRoundTrip(*response);
}

}  // namespace
}  // namespace meridian::wire::dns

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::dns::CheckMessage({data, size});
  return 0;
}
