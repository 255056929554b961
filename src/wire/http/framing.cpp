#include "wire/http/framing.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {
namespace {

// The relevant fields of a head, before they are combined.
struct Facts {
  std::optional<uint64_t> content_length;
  bool has_transfer_encoding = false;
  bool chunked_last = false;    // the last coding so far is chunked
  bool unknown_coding = false;  // a coding other than chunked was listed
  bool close = false;
  bool keep_alive = false;
  bool upgrade_option = false;
  bool nominates_fields = false;
  bool expects_continue = false;
  size_t connection_options = 0;
  std::string_view upgrade;
};

std::optional<ParseError> NoteContentLength(std::string_view value, Facts* facts) {
  if (facts->content_length) return ParseError::kRepeatedContentLength;
  if (value.empty() || value.size() > kMaxContentLengthDigits) return ParseError::kBadContentLength;
  uint64_t length = 0;
  for (char c : value) {
    if (!IsDigit(c)) return ParseError::kBadContentLength;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  if (length > INT64_MAX) return ParseError::kBadContentLength;
  facts->content_length = length;
  return std::nullopt;
}

std::optional<ParseError> NoteTransferEncoding(std::string_view value, Facts* facts) {
  facts->has_transfer_encoding = true;
  ListElements codings(value);
  while (auto coding = codings.Next()) {
    // No coding may follow chunked (RFC 9112 6.1). A coding with parameters is an unknown coding.
    if (facts->chunked_last) return ParseError::kBadTransferEncoding;
    std::string_view name = coding->substr(0, coding->find(';'));
    if (!IsToken(TrimWhitespace(name))) return ParseError::kBadTransferEncoding;
    facts->chunked_last = EqualsIgnoreCase(*coding, "chunked");
    facts->unknown_coding = facts->unknown_coding || !facts->chunked_last;
  }
  // Other parsers disagree about values such as an empty one or ", chunked".
  if (!facts->unknown_coding && !EqualsIgnoreCase(value, "chunked")) {
    return ParseError::kBadTransferEncoding;
  }
  return std::nullopt;
}

std::optional<ParseError> NoteConnection(std::string_view value, Facts* facts) {
  ListElements options(value);
  while (auto option = options.Next()) {
    if (++facts->connection_options > kMaxConnectionOptions) {
      return ParseError::kTooManyConnectionOptions;
    }
    if (EqualsIgnoreCase(*option, "close")) {
      facts->close = true;
    } else if (EqualsIgnoreCase(*option, "keep-alive")) {
      facts->keep_alive = true;
    } else if (EqualsIgnoreCase(*option, "upgrade")) {
      facts->upgrade_option = true;
    } else if (!IsHopByHop(*option)) {
      facts->nominates_fields = true;
    }
  }
  return std::nullopt;
}

std::optional<ParseError> Note(const HeaderField& field, Facts* facts) {
  switch (field.name.size()) {
    case 6:
      if (EqualsIgnoreCase(field.name, "expect") && EqualsIgnoreCase(field.value, "100-continue")) {
        facts->expects_continue = true;
      }
      return std::nullopt;
    case 7:
      if (EqualsIgnoreCase(field.name, "upgrade")) facts->upgrade = field.value;
      return std::nullopt;
    case 10:
      if (!EqualsIgnoreCase(field.name, "connection")) return std::nullopt;
      return NoteConnection(field.value, facts);
    case 14:
      if (!EqualsIgnoreCase(field.name, "content-length")) return std::nullopt;
      return NoteContentLength(field.value, facts);
    case 17:
      if (!EqualsIgnoreCase(field.name, "transfer-encoding")) return std::nullopt;
      return NoteTransferEncoding(field.value, facts);
    default:
      return std::nullopt;
  }
}

std::optional<ParseError> Gather(const HeaderFields& fields, int minor_version, Facts* facts) {
  for (const HeaderField& field : fields) {
    if (auto error = Note(field, facts)) return error;
  }
  if (!facts->has_transfer_encoding) return std::nullopt;
  if (facts->content_length) return ParseError::kContentLengthWithTransferEncoding;
  if (minor_version == 0) return ParseError::kTransferEncodingInHttp10;
  if (facts->unknown_coding) return ParseError::kUnknownTransferCoding;
  return std::nullopt;
}

bool KeepsAlive(const Facts& facts, int minor_version) {
  return !facts.close && (minor_version == 1 || facts.keep_alive);
}

std::string_view UpgradeOf(const Facts& facts, int minor_version) {
  return facts.upgrade_option && minor_version == 1 ? facts.upgrade : std::string_view{};
}

}  // namespace

std::optional<ParseError> DeriveRequestFraming(RequestHead* head) {
  Facts facts;
  if (auto error = Gather(head->fields, head->minor_version, &facts)) return error;
  if (facts.has_transfer_encoding) {
    head->body = {.kind = BodyFraming::Kind::kChunked};
  } else if (facts.content_length) {
    head->body = {.kind = BodyFraming::Kind::kContentLength, .length = *facts.content_length};
  }
  head->keep_alive = KeepsAlive(facts, head->minor_version);
  // RFC 9110 10.1.1: not in HTTP/1.0.
  head->expects_continue = facts.expects_continue && head->minor_version == 1;
  head->nominates_fields = facts.nominates_fields;
  head->upgrade = UpgradeOf(facts, head->minor_version);
  return std::nullopt;
}

RequestKind RequestKindOf(std::string_view method) {
  if (method == "HEAD") return RequestKind::kHead;
  return method == "CONNECT" ? RequestKind::kConnect : RequestKind::kOrdinary;
}

std::optional<ParseError> DeriveResponseFraming(RequestKind request, ResponseHead* head) {
  Facts facts;
  if (auto error = Gather(head->fields, head->minor_version, &facts)) return error;
  head->keep_alive = KeepsAlive(facts, head->minor_version);
  head->nominates_fields = facts.nominates_fields;
  head->upgrade = UpgradeOf(facts, head->minor_version);
  head->content_length = facts.content_length;

  bool never_has_body = head->status < 200 || head->status == 204;
  bool no_body_here =
      request == RequestKind::kHead || head->status == 304 ||
      (request == RequestKind::kConnect && head->status >= 200 && head->status < 300);
  if (never_has_body || no_body_here) {
    // A sender that announces a body where none is allowed may send it. Closing keeps those bytes
    // from being read as the next response.
    bool announced = facts.has_transfer_encoding || facts.content_length.value_or(0) > 0;
    if (never_has_body && announced) head->keep_alive = false;
  } else if (facts.has_transfer_encoding) {
    head->body = {.kind = BodyFraming::Kind::kChunked};
  } else if (facts.content_length) {
    head->body = {.kind = BodyFraming::Kind::kContentLength, .length = *facts.content_length};
  } else {
    head->body = {.kind = BodyFraming::Kind::kUntilClose};
    head->keep_alive = false;
  }
  return std::nullopt;
}

}  // namespace meridian::wire::http
