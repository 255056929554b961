#include "wire/resp/request_parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "wire/resp/limits.hpp"
#include "wire/resp/number.hpp"

namespace meridian::wire::resp {
namespace {

using State = RequestOutcome::State;

// A list of arguments that grew larger is freed after its request.
constexpr size_t kKeptArguments = 1024;
constexpr size_t kLineEndBytes = 2;

// A line "<kind><count>\r\n" at `position`.
struct CountLine {
  enum class State : uint8_t { kNeedMore, kDone, kTooLong, kMalformed };
  State state = State::kNeedMore;
  int64_t count = 0;
  size_t end = 0;  // offset after the line
};

CountLine ReadCount(std::string_view input, size_t position) {
  std::string_view rest = input.substr(position + 1);
  // Fast path for a few digits, without search or conversion of text.
  int64_t count = 0;
  size_t digits = 0;
  while (digits < rest.size() && digits < 9 && rest[digits] >= '0' && rest[digits] <= '9') {
    count = count * 10 + (rest[digits++] - '0');
  }
  bool plain = digits > 0 && (rest[0] != '0' || digits == 1);
  if (plain && digits + 1 < rest.size() && rest[digits] == '\r' && rest[digits + 1] == '\n') {
    return {.state = CountLine::State::kDone,
            .count = count,
            .end = position + 1 + digits + kLineEndBytes};
  }
  size_t cr = rest.substr(0, kMaxInlineBytes).find('\r');
  if (cr == std::string_view::npos) {
    bool too_long = rest.size() >= kMaxInlineBytes;
    return {.state = too_long ? CountLine::State::kTooLong : CountLine::State::kNeedMore};
  }
  if (cr + 1 == rest.size()) return {};
  std::optional<int64_t> number = ParseInteger(rest.substr(0, cr));
  if (!number || rest[cr + 1] != '\n') return {.state = CountLine::State::kMalformed};
  return {
      .state = CountLine::State::kDone, .count = *number, .end = position + 1 + cr + kLineEndBytes};
}

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Appends the double-quoted word that begins at `at` (after the quote) and moves `at` behind the
// closing quote. False: the closing quote is missing.
bool TakeDoubleQuoted(std::string_view line, size_t* at, std::string* word) {
  while (*at < line.size()) {
    char c = line[(*at)++];
    if (c == '"') return true;
    if (c != '\\' || *at == line.size()) {
      *word += c;
      continue;
    }
    bool hex = line[*at] == 'x' && *at + 2 < line.size() && HexDigit(line[*at + 1]) >= 0 &&
               HexDigit(line[*at + 2]) >= 0;
    if (hex) {
      *word += static_cast<char>(HexDigit(line[*at + 1]) * 16 + HexDigit(line[*at + 2]));
      *at += 3;
    } else {
      *word += Escaped(line[(*at)++]);
    }
  }
  return false;
}

bool TakeSingleQuoted(std::string_view line, size_t* at, std::string* word) {
  while (*at < line.size()) {
    char c = line[(*at)++];
    if (c == '\'') return true;
    if (c == '\\' && *at < line.size() && line[*at] == '\'') c = line[(*at)++];
    *word += c;
  }
  return false;
}

}  // namespace

std::string ProtocolErrorText(const RequestOutcome& outcome) {
  std::string text = "Protocol error: ";
  switch (outcome.error) {
    case ProtocolError::kTooBigInlineRequest:
      return text + "too big inline request";
    case ProtocolError::kUnbalancedQuotes:
      return text + "unbalanced quotes in request";
    case ProtocolError::kTooBigCountString:
      return text + "too big mbulk count string";
    case ProtocolError::kInvalidArgumentCount:
      return text + "invalid multibulk length";
    case ProtocolError::kTooBigBulkCountString:
      return text + "too big bulk count string";
    case ProtocolError::kExpectedBulk:
      text += "expected '$', got '";
      // The reply must be one line.
      text += outcome.unexpected == '\r' || outcome.unexpected == '\n' ? ' ' : outcome.unexpected;
      return text + "'";
    case ProtocolError::kInvalidBulkLength:
      return text + "invalid bulk length";
    case ProtocolError::kUnauthenticatedArguments:
      return text + "unauthenticated multibulk length";
    case ProtocolError::kUnauthenticatedBulk:
      return text + "unauthenticated bulk length";
  }
  return text;
}

RequestOutcome RequestParser::Parse(std::string_view input) {
  if (input.empty()) return {};
  if (base_ == nullptr) return Begin(input);
  Rebase(input);
  return input[0] == '*' ? ParseBulks(input) : ParseInline(input);
}

RequestOutcome RequestParser::Begin(std::string_view input) {
  arguments_.clear();
  if (arguments_.capacity() > kKeptArguments) arguments_.shrink_to_fit();
  missing_ = -1;
  bulk_bytes_ = -1;
  position_ = 0;
  min_bytes_ = 0;
  return input[0] == '*' ? ParseBulks(input) : ParseInline(input);
}

RequestOutcome RequestParser::Finish(size_t consumed) {
  base_ = nullptr;
  min_bytes_ = 0;
  return {.state = State::kDone, .consumed = consumed};
}

RequestOutcome RequestParser::Refuse(ProtocolError error, char unexpected) {
  base_ = nullptr;
  arguments_.clear();
  return {.state = State::kError, .error = error, .unexpected = unexpected};
}

RequestOutcome RequestParser::NeedMore(size_t min_bytes, std::string_view input) {
  base_ = input.data();
  min_bytes_ = min_bytes;
  return {};
}

// Adjusts the views to bytes that moved.
void RequestParser::Rebase(std::string_view input) {
  const char* base = input.data();
  if (base == base_) return;
  for (std::string_view& argument : arguments_) {
    argument = {base + (argument.data() - base_), argument.size()};
  }
  base_ = base;
}

RequestOutcome RequestParser::ParseBulks(std::string_view input) {
  if (missing_ < 0) {
    RequestOutcome counted = ParseCount(input);
    if (missing_ < 0) return counted;
  }
  for (; missing_ > 0; --missing_) {
    if (bulk_bytes_ < 0) {
      RequestOutcome begun = ParseBulkLength(input);
      if (bulk_bytes_ < 0) return begun;
    }
    size_t size = static_cast<size_t>(bulk_bytes_);
    if (input.size() - position_ < size + kLineEndBytes) {
      return NeedMore(position_ + size + kLineEndBytes, input);
    }
    if (input[position_ + size] != '\r' || input[position_ + size + 1] != '\n') {
      return Refuse(ProtocolError::kInvalidBulkLength);
    }
    arguments_.push_back(input.substr(position_, size));
    position_ += size + kLineEndBytes;
    bulk_bytes_ = -1;
  }
  return Finish(position_);
}

// Sets missing_, or returns the outcome of Parse.
RequestOutcome RequestParser::ParseCount(std::string_view input) {
  CountLine line = ReadCount(input, 0);
  switch (line.state) {
    case CountLine::State::kNeedMore:
      return NeedMore(input.size() + 1, input);
    case CountLine::State::kTooLong:
      return Refuse(ProtocolError::kTooBigCountString);
    case CountLine::State::kMalformed:
      return Refuse(ProtocolError::kInvalidArgumentCount);
    case CountLine::State::kDone:
      break;
  }
  if (line.count > limits_.max_arguments) {
    return Refuse(limits_.unauthenticated ? ProtocolError::kUnauthenticatedArguments
                                          : ProtocolError::kInvalidArgumentCount);
  }
  missing_ = std::max<int64_t>(line.count, 0);
  position_ = line.end;
  return {};
}

// Sets bulk_bytes_, or returns the outcome of Parse.
RequestOutcome RequestParser::ParseBulkLength(std::string_view input) {
  if (position_ == input.size()) return NeedMore(position_ + 1, input);
  if (input[position_] != '$') return Refuse(ProtocolError::kExpectedBulk, input[position_]);
  CountLine line = ReadCount(input, position_);
  switch (line.state) {
    case CountLine::State::kNeedMore:
      return NeedMore(input.size() + 1, input);
    case CountLine::State::kTooLong:
      return Refuse(ProtocolError::kTooBigBulkCountString);
    case CountLine::State::kMalformed:
      return Refuse(ProtocolError::kInvalidBulkLength);
    case CountLine::State::kDone:
      break;
  }
  if (line.count < 0) return Refuse(ProtocolError::kInvalidBulkLength);
  if (line.count > limits_.max_bulk_bytes) {
    return Refuse(limits_.unauthenticated ? ProtocolError::kUnauthenticatedBulk
                                          : ProtocolError::kInvalidBulkLength);
  }
  if (line.end + static_cast<size_t>(line.count) + kLineEndBytes > limits_.max_request_bytes) {
    return Refuse(ProtocolError::kInvalidBulkLength);
  }
  bulk_bytes_ = line.count;
  position_ = line.end;
  return {};
}

RequestOutcome RequestParser::ParseInline(std::string_view input) {
  size_t newline = input.substr(position_, kMaxInlineBytes - position_).find('\n');
  if (newline == std::string_view::npos) {
    if (input.size() >= kMaxInlineBytes) return Refuse(ProtocolError::kTooBigInlineRequest);
    position_ = input.size();
    return NeedMore(input.size() + 1, input);
  }
  newline += position_;
  std::string_view line = input.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!SplitWords(line)) return Refuse(ProtocolError::kUnbalancedQuotes);
  return Finish(newline + 1);
}

// Splits a line at blanks; parts of words may be quoted. False: a quote is not closed, or is not
// followed by a blank.
bool RequestParser::SplitWords(std::string_view line) {
  unquoted_.clear();
  unquoted_.reserve(line.size());  // keeps views into it valid
  size_t at = 0;
  while (true) {
    while (at < line.size() && IsBlank(line[at])) ++at;
    if (at == line.size()) return true;
    size_t word = unquoted_.size();
    while (at < line.size() && !IsBlank(line[at])) {
      char c = line[at++];
      if (c != '"' && c != '\'') {
        unquoted_ += c;
        continue;
      }
      bool closed = c == '"' ? TakeDoubleQuoted(line, &at, &unquoted_)
                             : TakeSingleQuoted(line, &at, &unquoted_);
      if (!closed || (at < line.size() && !IsBlank(line[at]))) return false;
    }
    arguments_.push_back(std::string_view(unquoted_).substr(word));
  }
}

}  // namespace meridian::wire::resp
