#include "wire/dns/response.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/dns/edns.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {
namespace {

// An OPT is decoded first as a record of unknown type, then as an OPT.
Result<void> TakeOpt(const Record& record, Response* response) {
  OptFields fields{static_cast<uint16_t>(record.record_class), record.ttl_seconds,
                   std::get<OpaqueData>(record.data)};
  if (response->edns || !record.owner.is_root() || !DecodeEdns(fields, &response->edns.emplace())) {
    return Fail(Errc::kInvalid, "malformed or repeated OPT record");
  }
  int rcode = response->edns->upper_rcode << 4 | response->header.low_rcode;
  response->rcode = static_cast<Rcode>(rcode);
  return {};
}

Result<void> DecodeSection(Bytes message, int count, size_t* offset, std::vector<Record>* records) {
  for (int i = 0; i < count; ++i) {
    Result<Record> record = DecodeRecord(message, offset);
    if (!record) return Fail(record.error());
    records->push_back(*std::move(record));
  }
  return {};
}

Result<void> DecodeSections(Bytes message, size_t offset, Response* response) {
  const Header& header = response->header;
  Result<void> answers = DecodeSection(message, header.answer_count, &offset, &response->answers);
  if (!answers) return answers;
  Result<void> authorities =
      DecodeSection(message, header.authority_count, &offset, &response->authorities);
  if (!authorities) return authorities;
  Result<void> additionals =
      DecodeSection(message, header.additional_count, &offset, &response->additionals);
  if (!additionals) return additionals;
  if (offset != message.size()) return Fail(Errc::kInvalid, "bytes behind the DNS response");
  return {};
}

Result<void> MoveOpt(Response* response) {
  std::vector<Record>& additionals = response->additionals;
  for (const Record& record : additionals) {
    if (record.type != RecordType::kOpt) continue;
    Result<void> taken = TakeOpt(record, response);
    if (!taken) return taken;
  }
  std::erase_if(additionals, [](const Record& record) { return record.type == RecordType::kOpt; });
  return {};
}

}  // namespace

Result<Response> DecodeResponse(Bytes message) {
  Response response;
  ByteReader reader(message);
  response.header = DecodeHeader(&reader);
  const Header& header = response.header;
  if (!reader.ok()) return Fail(Errc::kInvalid, "a DNS response of {} bytes", message.size());
  if (!header.response) return Fail(Errc::kInvalid, "a DNS query where a response belongs");
  if (header.question_count > 1) return Fail(Errc::kInvalid, "more than one question");
  if (size_t{header.answer_count} + header.authority_count + header.additional_count >
      kMaxMessageRecords) {
    return Fail(Errc::kTooLarge, "a DNS response of over {} records", kMaxMessageRecords);
  }
  response.rcode = static_cast<Rcode>(header.low_rcode);
  size_t offset = reader.offset();
  if (header.question_count == 1 &&
      !DecodeQuestion(message, &offset, &response.question.emplace())) {
    return Fail(Errc::kInvalid, "malformed question in a DNS response");
  }
  Result<void> sections = DecodeSections(message, offset, &response);
  if (!sections) return Fail(sections.error());
  Result<void> opt = MoveOpt(&response);
  if (!opt) return Fail(opt.error());
  return response;
}

bool Answers(const Response& response, const Query& query) {
  return response.header.id == query.id && response.header.opcode == query.opcode &&
         response.question == query.question && response.question &&
         std::ranges::equal(response.question->name.wire(), query.question->name.wire());
}

}  // namespace meridian::wire::dns
