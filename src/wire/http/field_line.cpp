#include "wire/http/field_line.hpp"

#include <cstddef>
#include <expected>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {
namespace {

ParseError WhyNameEnded(const char* begin, const char* end_of_name) {
  if (Is(*end_of_name, kWhitespace)) {
    return end_of_name == begin ? ParseError::kFoldedField : ParseError::kSpaceBeforeColon;
  }
  return ParseError::kBadFieldName;
}

ParseError WhyValueEnded(char stop) {
  if (stop == '\r') return ParseError::kBareCr;
  return stop == '\n' ? ParseError::kBareLf : ParseError::kBadFieldValue;
}

}  // namespace

std::expected<size_t, ParseError> ParseFieldLine(std::string_view lines, HeaderField* field) {
  // The LF at the end is a sentinel: no name or value contains it, so no loop runs past it.
  CHECK(!lines.empty() && lines.back() == '\n');
  const char* begin = lines.data();
  const char* name_end = begin;
  while (Is(*name_end, kTokenChar)) ++name_end;
  if (*name_end != ':' || name_end == begin) return std::unexpected(WhyNameEnded(begin, name_end));

  const char* value = name_end + 1;
  while (Is(*value, kWhitespace)) ++value;
  const char* stop = SkipValueChars(value, begin + lines.size());
  if (stop[0] != '\r' || stop[1] != '\n') return std::unexpected(WhyValueEnded(*stop));

  const char* value_end = stop;
  while (value_end != value && Is(value_end[-1], kWhitespace)) --value_end;
  field->name = {begin, static_cast<size_t>(name_end - begin)};
  field->value = {value, static_cast<size_t>(value_end - value)};
  field->checked = true;
  return static_cast<size_t>(stop + 2 - begin);
}

}  // namespace meridian::wire::http
