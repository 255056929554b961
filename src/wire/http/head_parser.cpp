#include "wire/http/head_parser.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/framing.hpp"
#include "wire/http/head_cursor.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"
#include "wire/http/request_line.hpp"

namespace meridian::wire::http {
namespace {

using State = HeadOutcome::State;

// "HTTP/1.x SP 3DIGIT SP reason" CRLF (RFC 9112 4). The second space may be missing, as it is from
// some servers when there is no reason: nothing depends on it.
std::optional<ParseError> ParseStatusLine(std::string_view line, ResponseHead* head) {
  if (!line.ends_with("\r\n")) return ParseError::kBareLf;
  line.remove_suffix(2);
  if (auto error = ParseVersion(line.substr(0, line.find(' ')), &head->minor_version)) return error;
  line.remove_prefix(8);
  if (line.size() < 4 || !IsDigit(line[1]) || !IsDigit(line[2]) || !IsDigit(line[3])) {
    return ParseError::kBadStatusLine;
  }
  head->status = (line[1] - '0') * 100 + (line[2] - '0') * 10 + (line[3] - '0');
  if (head->status < 100 || head->status > 599) return ParseError::kBadStatusLine;
  line.remove_prefix(4);
  if (line.empty()) return std::nullopt;
  if (line.front() != ' ' || !All(line, kValueChar)) return ParseError::kBadStatusLine;
  head->reason = line.substr(1);
  return std::nullopt;
}

// Prepares `head` for the next call: clears it for a new head, or adjusts it to bytes that moved.
template <class Head>
void Follow(const char** base, size_t parsed, std::string_view input, Head* head) {
  const char* now = input.data();
  if (*base == nullptr) {
    head->Clear();
  } else if (*base != now) {
    head->Rebase(*base, parsed, now);
  }
  *base = now;
}

// Parses the new bytes in `lines`: the start line first, then fields.
template <class StartLineParser>
HeadOutcome ParseLines(std::string_view lines, StartLineParser parse_start_line, HeadCursor* cursor,
                       HeaderFields* fields) {
  if (!cursor->has_start_line()) {
    std::expected<size_t, ParseError> size = cursor->StartLineSize(lines);
    if (!size) return HeadOutcome::Refuse(size.error());
    if (*size == 0) return cursor->NeedMore();
    if (auto error = parse_start_line(lines.substr(0, *size))) return HeadOutcome::Refuse(*error);
    cursor->AdvanceStartLine(*size);
    lines.remove_prefix(*size);
  }
  return cursor->ParseFields(lines, fields);
}

}  // namespace

HeadOutcome RequestHeadParser::Parse(std::string_view input, RequestHead* head) {
  if (input.empty()) return {};
  Follow(&base_, cursor_.parsed(), input, head);
  std::string_view lines = cursor_.CompleteLines(input);
  if (cursor_.parsed() == 0 && lines.starts_with("\r\n")) {
    cursor_.Advance(2);
    lines.remove_prefix(2);
  }
  auto parse = [head](std::string_view line) { return ParseRequestLine(line, head); };
  HeadOutcome outcome = ParseLines(lines, parse, &cursor_, &head->fields);
  if (outcome.state == State::kDone) {
    std::optional<ParseError> error = CheckHost(head);
    if (!error) error = DeriveRequestFraming(head);
    if (error) outcome = HeadOutcome::Refuse(*error);
  }
  if (outcome.state != State::kNeedMore) Reset();
  return outcome;
}

void RequestHeadParser::Reset() {
  cursor_.Reset();
  base_ = nullptr;
}

HeadOutcome ResponseHeadParser::Parse(std::string_view input, RequestKind request,
                                      ResponseHead* head) {
  if (input.empty()) return {};
  Follow(&base_, cursor_.parsed(), input, head);
  std::string_view lines = cursor_.CompleteLines(input);
  auto parse = [head](std::string_view line) { return ParseStatusLine(line, head); };
  HeadOutcome outcome = ParseLines(lines, parse, &cursor_, &head->fields);
  if (outcome.state == State::kDone) {
    if (auto error = DeriveResponseFraming(request, head)) outcome = HeadOutcome::Refuse(*error);
  }
  if (outcome.state != State::kNeedMore) Reset();
  return outcome;
}

void ResponseHeadParser::Reset() {
  cursor_.Reset();
  base_ = nullptr;
}

}  // namespace meridian::wire::http
