// Requests: any split of the input gives the same outcome, arguments lie inside of the input (or
// are unquoted words), and an array that is written again from its arguments parses to the same.
// The first byte is the split.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/resp/first_key.hpp"
#include "wire/resp/limits.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/reply_writer.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::wire::resp {
namespace {

using State = RequestOutcome::State;

// Small, so that the fuzzer reaches them.
constexpr RequestLimits kLimits{
    .max_arguments = 40, .max_bulk_bytes = 300, .max_request_bytes = 600};

std::vector<std::string> Copy(Arguments arguments) { return {arguments.begin(), arguments.end()}; }

// The outcome when the first `split` bytes come first, somewhere else in memory, then one by one.
RequestOutcome ParseInPieces(std::string_view input, size_t split,
                             std::vector<std::string>* arguments) {
  RequestParser parser(kLimits);
  std::unique_ptr<char[]> storage;
  RequestOutcome outcome;
  for (size_t size = split; size <= input.size() && outcome.state == State::kNeedMore; ++size) {
    auto bytes = std::make_unique<char[]>(size);
    input.copy(bytes.get(), size);
    outcome = parser.Parse(std::string_view(bytes.get(), size));
    storage = std::move(bytes);
  }
  if (outcome.state == State::kDone) *arguments = Copy(parser.arguments());
  return outcome;
}

void CheckWrittenAgain(const std::vector<std::string>& arguments) {
  Buffer buffer(size_t{1} << 20);
  ReplyWriter writer(&buffer, Version::kResp2);
  writer.Array(arguments.size());
  for (const std::string& argument : arguments) writer.Bulk(argument);
  CHECK(writer.ok());
  RequestParser parser;
  RequestOutcome outcome = parser.Parse(buffer.text());
  CHECK(outcome.state == State::kDone && outcome.consumed == buffer.size());
  CHECK(Copy(parser.arguments()) == arguments);
}

void CheckNumbers(std::string_view text) {
  if (auto integer = ParseInteger(text)) CHECK(IntegerText(*integer).text() == text);
  if (auto number = ParseDouble(text)) CHECK(ParseDouble(DoubleText(*number).text()) == number);
  if (auto number = ParseLongDouble(text)) (void)FixedDoubleText(*number);
}

// A guess takes something each time, and the key of a whole request where it guesses one.
void CheckKeysAhead(std::string_view input) {
  while (!input.empty()) {
    std::string_view before = input;
    std::string_view key = TakeFirstKey(&input);
    CHECK(input.size() < before.size());
    if (key.empty()) continue;
    CHECK(key.data() >= before.data() && key.data() + key.size() <= input.data());
  }
}

void Fuzz(std::string_view input, size_t split) {
  CheckKeysAhead(input);
  while (!input.empty()) {
    RequestParser parser(kLimits);
    RequestOutcome whole = parser.Parse(input);
    std::vector<std::string> pieces_arguments;
    RequestOutcome pieces = ParseInPieces(input, std::min(split, input.size()), &pieces_arguments);
    CHECK(whole.state == pieces.state);
    if (whole.state == State::kError) {
      CHECK(whole.error == pieces.error && !ProtocolErrorText(whole).empty());
    }
    if (whole.state != State::kDone) return;
    CHECK(whole.consumed == pieces.consumed && whole.consumed <= input.size());
    CHECK(Copy(parser.arguments()) == pieces_arguments);
    CheckWrittenAgain(pieces_arguments);
    for (const std::string& argument : pieces_arguments) CheckNumbers(argument);
    input.remove_prefix(whole.consumed);
  }
}

}  // namespace
}  // namespace meridian::wire::resp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  meridian::wire::resp::Fuzz(input, data[0]);
  return 0;
}
