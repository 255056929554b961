#include "wire/dns/query.hpp"

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/dns/edns.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"

namespace meridian::wire::dns {
namespace {

struct RecordFields {
  bool at_root = false;
  RecordType type = RecordType::kA;
  OptFields fields{};
};

bool DecodeRecordFields(Bytes message, size_t* offset, RecordFields* record) {
  Name owner;
  if (!Name::Decode(message, offset, &owner)) return false;
  ByteReader reader(message.subspan(*offset));
  record->at_root = owner.is_root();
  record->type = static_cast<RecordType>(reader.U16());
  record->fields.record_class = reader.U16();
  record->fields.ttl = reader.U32();
  uint16_t length = reader.U16();
  record->fields.data = reader.Take(length);
  *offset += reader.offset();
  return reader.ok();
}

// A query's scope is zero (RFC 7871 section 6): only a response can say how far it holds.
bool DecodeQueryEdns(const OptFields& opt, Edns* edns) {
  return DecodeEdns(opt, edns) && (!edns->subnet || edns->subnet->scope_length == 0);
}

// Whether the header's counts are valid for a query, independent of the records.
bool CountsAreSound(const Header& header, const Query& query) {
  if (header.answer_count != 0) return false;
  bool transfer = query.question && query.question->type == RecordType::kIxfr;
  if (header.authority_count != 0 && !transfer) return false;
  return size_t{header.authority_count} + header.additional_count <= kMaxQueryRecords;
}

// Decodes the records after the question. False: malformed.
bool DecodeRecords(Bytes message, const Header& header, size_t offset, Query* query) {
  int records = header.authority_count + header.additional_count;
  for (int i = 0; i < records; ++i) {
    RecordFields record;
    if (!DecodeRecordFields(message, &offset, &record)) return false;
    if (record.type != RecordType::kOpt) continue;
    bool misplaced = i < header.authority_count || !record.at_root || query->edns.has_value();
    if (misplaced) return false;
    if (!DecodeQueryEdns(record.fields, &query->edns.emplace())) {
      query->edns->subnet.reset();  // not to be echoed
      return false;
    }
  }
  return offset == message.size();
}

// Decodes the part after the header, as far as it is valid. A response must have an OPT if the
// query had one (RFC 6891 section 7), so the records are read even if the query is refused.
bool DecodeBody(Bytes message, const Header& header, size_t offset, Query* query) {
  if (header.question_count > 1) return false;
  if (header.question_count == 1 && !DecodeQuestion(message, &offset, &query->question.emplace())) {
    query->question.reset();
    return false;
  }
  return CountsAreSound(header, *query) && DecodeRecords(message, header, offset, query) &&
         query->question && query->question->type != RecordType::kOpt;
}

}  // namespace

QueryKind DecodeQuery(Bytes message, Query* query) {
  *query = Query();
  ByteReader reader(message);
  Header header = DecodeHeader(&reader);
  if (!reader.ok() || header.response) return QueryKind::kDrop;
  query->id = header.id;
  query->opcode = header.opcode;
  query->recursion_desired = header.recursion_desired;
  bool sound = DecodeBody(message, header, reader.offset(), query);
  if (header.opcode != Opcode::kQuery) return QueryKind::kNotImplemented;
  if (query->edns && query->edns->version != 0) return QueryKind::kBadVersion;
  return sound ? QueryKind::kAnswer : QueryKind::kFormatError;
}

size_t EncodeQuery(const Query& query, MutableBytes buffer) {
  CHECK(query.question.has_value() && buffer.size() >= kMinUdpResponseBytes);
  ByteWriter writer(buffer);
  EncodeHeader({.id = query.id,
                .opcode = query.opcode,
                .recursion_desired = query.recursion_desired,
                .question_count = 1,
                .additional_count = static_cast<uint16_t>(query.edns ? 1 : 0)},
               &writer);
  writer.Append(query.question->name.wire());
  writer.U16(static_cast<uint16_t>(query.question->type));
  writer.U16(static_cast<uint16_t>(query.question->record_class));
  if (query.edns) EncodeEdns(*query.edns, &writer);
  CHECK(writer.ok());
  return writer.size();
}

}  // namespace meridian::wire::dns
