// HeadCursor: the parse position in a head that arrives in pieces. Internal to the head parsers.
//
// Only whole lines are parsed, each once, and each byte is searched for a line end once. So single
// bytes cost no more than the whole head at once, and the split of the input does not affect the
// outcome.
#pragma once

#include <expected>
#include <string_view>

#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// The outcome of parsing the bytes so far.
struct HeadOutcome {
  enum class State : uint8_t { kNeedMore, kDone, kError };

  State state = State::kNeedMore;
  ParseError error = {};  // when kError
  size_t consumed = 0;    // when kDone: the size of the head, with its empty line

  static HeadOutcome Refuse(ParseError error) { return {.state = State::kError, .error = error}; }
};

class HeadCursor {
 public:
  explicit HeadCursor(const HeadLimits& limits) : limits_(limits) {}

  // The complete, unparsed lines of `input`; empty, or ending with LF. Each call must pass the same
  // head, perhaps with more bytes at its end.
  std::string_view CompleteLines(std::string_view input);

  // Size of the start line at the front of `lines`; 0 while it is incomplete. Error:
  // kStartLineTooLong.
  std::expected<size_t, ParseError> StartLineSize(std::string_view lines) const;

  // Marks the next `size` bytes as parsed, or as the parsed start line.
  void Advance(size_t size) { parsed_ += size; }
  void AdvanceStartLine(size_t size) {
    Advance(size);
    has_start_line_ = true;
  }

  // Parses field lines into `fields`, up to the empty line or the end of `lines`.
  HeadOutcome ParseFields(std::string_view lines, HeaderFields* fields);

  // The outcome when all complete lines are parsed: more bytes needed, or too large.
  HeadOutcome NeedMore() const;

  size_t parsed() const { return parsed_; }
  bool has_start_line() const { return has_start_line_; }
  void Reset() {
    parsed_ = searched_ = 0;
    has_start_line_ = false;
  }

 private:
  HeadLimits limits_;
  size_t parsed_ = 0;    // bytes in lines that are parsed
  size_t searched_ = 0;  // bytes searched for line ends
  bool has_start_line_ = false;
};

}  // namespace meridian::wire::http
