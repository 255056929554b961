#include "wire/prom/text_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "wire/prom/limits.hpp"

namespace meridian::wire::prom {
namespace {

constexpr std::string_view kBlanks = " \t";

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error Wrong(const char* reason) { return {Errc::kInvalid, reason}; }
Error TooLarge(const char* reason) { return {Errc::kTooLarge, reason}; }

// The numbers that Go's ParseFloat reads and exporters write: decimal, with an exponent or not, or
// one of NaN, Inf, +Inf, -Inf.
Result<double> ReadNumber(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  auto [at, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || at != end) return Fail(Wrong("a value that is no number"));
  return value;
}

// One line, from its front to its end.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  Result<Sample> Read() {
    Sample sample;
    auto name = ReadName(true);
    if (!name) return Fail(std::move(name.error()));
    sample.name = std::move(*name);
    SkipBlanks();
    if (Take('{')) {
      Result<void> labels = ReadLabels(sample.labels);
      if (!labels) return Fail(std::move(labels.error()));
    }
    auto value = ReadNumber(NextWord());
    if (!value) return Fail(std::move(value.error()));
    sample.value = *value;
    const std::string_view time = NextWord();
    if (!time.empty() && !ReadNumber(time)) return Fail(Wrong("a time that is no number"));
    SkipBlanks();
    if (!rest_.empty()) return Fail(Wrong("more than a value and a time"));
    return sample;
  }

 private:
  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view NextWord() {
    SkipBlanks();
    const std::string_view word = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(word.size());
    return word;
  }

  Result<std::string> ReadName(bool with_colons) {
    auto fits = [&](size_t i) {
      const char c = rest_[i];
      return IsLetter(c) || (with_colons && c == ':') || (i > 0 && IsDigit(c));
    };
    size_t size = 0;
    while (size < rest_.size() && fits(size)) ++size;
    if (size == 0) return Fail(Wrong("no name where one is expected"));
    if (size > kMaxNameBytes) return Fail(TooLarge("a name that is too long"));
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }

  // In quotation marks: backslash, quotation mark and n may be escaped.
  Result<std::string> ReadLabelValue() {
    if (!Take('"')) return Fail(Wrong("a label without a quoted value"));
    std::string value;
    while (!Take('"')) {
      if (rest_.empty()) return Fail(Wrong("a label's value without its end"));
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (Take('n')) {
          c = '\n';
        } else if (Take('"')) {
          c = '"';
        } else if (!Take('\\')) {
          return Fail(Wrong("an escape that the format does not have"));
        }
      }
      value += c;
      if (value.size() > kMaxLabelValueBytes) return Fail(TooLarge("a label's value is too long"));
    }
    return value;
  }

  // Behind the brace. A comma behind the last label is allowed.
  Result<void> ReadLabels(std::vector<Label>& labels) {
    SkipBlanks();
    while (!Take('}')) {
      auto name = ReadName(false);
      if (!name) return Fail(std::move(name.error()));
      SkipBlanks();
      if (!Take('=')) return Fail(Wrong("a label without a value"));
      SkipBlanks();
      auto value = ReadLabelValue();
      if (!value) return Fail(std::move(value.error()));
      if (labels.size() == kMaxLabels) return Fail(TooLarge("too many labels"));
      if (std::ranges::find(labels, *name, &Label::name) != labels.end()) {
        return Fail(Wrong("a label that is there twice"));
      }
      labels.push_back({.name = std::move(*name), .value = std::move(*value)});
      SkipBlanks();
      if (Take(',')) {
        SkipBlanks();
      } else if (rest_.empty() || rest_.front() != '}') {
        return Fail(Wrong("labels without a comma or an end"));
      }
    }
    return {};
  }

  std::string_view rest_;
};

bool IsSample(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  return first != line.npos && line[first] != '#';
}

}  // namespace

std::string_view Sample::LabelOf(std::string_view label) const {
  auto found = std::ranges::find(labels, label, &Label::name);
  return found == labels.end() ? std::string_view{} : std::string_view(found->value);
}

Result<std::vector<Sample>> ReadText(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Fail(Errc::kTooLarge, "a text of {} bytes", text.size());
  }
  if (!text.empty() && !text.ends_with('\n')) {
    return Fail(Errc::kInvalid, "the text was cut off: its last line has no end");
  }
  std::vector<Sample> samples;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (!IsSample(line)) continue;
    if (samples.size() == kMaxSamples)
      return Fail(Errc::kTooLarge, "line {}: too many samples", number);
    const size_t first = line.find_first_not_of(kBlanks);
    auto sample = LineReader(line.substr(first)).Read();
    if (!sample) {
      return Fail(sample.error().code, "line {}: {}", number, sample.error().message);
    }
    samples.push_back(std::move(*sample));
  }
  return samples;
}

}  // namespace meridian::wire::prom
