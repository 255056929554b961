#include "wire/resp/first_key.hpp"

#include <cstddef>
#include <string_view>

namespace meridian::wire::resp {
namespace {

// For longer requests the guess costs more time than it saves.
constexpr size_t kMaxArguments = 64;
constexpr size_t kMaxDigits = 7;
constexpr size_t kLineEndBytes = 2;

// Takes "<kind><count>\r\n". False: the input has something else.
bool TakeCount(std::string_view* input, char kind, size_t* count) {
  if (input->empty() || (*input)[0] != kind) return false;
  size_t at = 1;
  *count = 0;
  while (at < input->size() && at <= kMaxDigits && (*input)[at] >= '0' && (*input)[at] <= '9') {
    *count = *count * 10 + static_cast<size_t>((*input)[at++] - '0');
  }
  if (at + kLineEndBytes > input->size() || (*input)[at] != '\r') return false;
  input->remove_prefix(at + kLineEndBytes);
  return true;
}

// Takes `count` bulks and finds the second. False: they are not all there.
bool TakeBulks(std::string_view* input, size_t count, std::string_view* second) {
  for (size_t i = 0; i < count; ++i) {
    size_t bytes = 0;
    if (!TakeCount(input, '$', &bytes) || input->size() < bytes + kLineEndBytes) return false;
    if (i == 1) *second = input->substr(0, bytes);
    input->remove_prefix(bytes + kLineEndBytes);
  }
  return true;
}

}  // namespace

std::string_view TakeFirstKey(std::string_view* input) {
  std::string_view key;
  size_t count = 0;
  bool begins = TakeCount(input, '*', &count) && count <= kMaxArguments;
  if (begins && TakeBulks(input, count, &key)) return key;
  *input = {};
  return {};
}

}  // namespace meridian::wire::resp
