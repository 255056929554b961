#include "site/load/diagnostics.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

constexpr size_t kQuotedColumns = 100;  // shown around the problem, in a long line
constexpr size_t kColumnsBefore = 40;

struct Palette {
  std::string_view place, caret, gutter, reset;
};
constexpr Palette kPlain = {"", "", "", ""};
constexpr Palette kColored = {"\x1b[1m", "\x1b[1;31m", "\x1b[2m", "\x1b[0m"};

// The length of the UTF-8 sequence at the front, or 0 if it is invalid or a control character.
size_t PrintableSequence(std::string_view text) {
  auto lead = static_cast<uint8_t>(text.front());
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  size_t length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (lead >= 0xf5 || length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) return 0;
  }
  bool c1_control = lead == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0;
  return c1_control ? 0 : length;
}

// Replaces the line between `begin` and `end` by stars.
void Mask(std::string* line, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) (*line)[i] = '*';
}

// A quoted line may get into a log, so passwords in URLs are masked.
std::string WithoutPasswords(std::string line) {
  for (size_t url = line.find("://"); url != std::string::npos; url = line.find("://", url + 3)) {
    size_t end = std::min(line.find_first_of(" \t\"'", url), line.size());
    size_t at = line.rfind('@', end);
    size_t colon = line.find(':', url + 3);
    if (at != std::string::npos && colon < at) Mask(&line, colon + 1, at);
  }
  constexpr std::string_view kKey = "password=";
  for (size_t key = line.find(kKey); key != std::string::npos; key = line.find(kKey, key + 1)) {
    size_t begin = key + kKey.size();
    Mask(&line, begin, std::min(line.find_first_of("& \t\"'", begin), line.size()));
  }
  return line;
}

// The line as a printable string for each column. A tab is one column and stays a tab; the caret
// line repeats it, so both have the same width.
std::vector<std::string> Columns(std::string_view line) {
  std::vector<std::string> columns;
  while (!line.empty()) {
    size_t length = PrintableSequence(line);
    if (length > 0) {
      columns.emplace_back(line.substr(0, length));
    } else {
      columns.emplace_back(line.front() == '\t' ? "\t" : "?");
      length = 1;
    }
    line.remove_prefix(length);
  }
  return columns;
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (const std::string& column : Columns(text)) printable += column;
  return printable;
}

struct Quote {
  std::string line;
  std::string indent;  // the caret line before the problem
  size_t carets;
};

Quote QuoteLine(std::string_view line, const SourceSpan& where) {
  std::vector<std::string> columns = Columns(line);
  size_t at = std::min<size_t>(where.column > 0 ? where.column - 1 : 0, columns.size());
  size_t first = columns.size() > kQuotedColumns && at > kColumnsBefore ? at - kColumnsBefore : 0;
  size_t last = std::min(columns.size(), first + kQuotedColumns);
  Quote quote;
  if (first > 0) quote.line = quote.indent = "...";
  if (first > 0) quote.indent = "   ";
  for (size_t i = first; i < last; ++i) quote.line += columns[i];
  for (size_t i = first; i < at; ++i) quote.indent += columns[i] == "\t" ? "\t" : " ";
  if (last < columns.size()) quote.line += "...";
  quote.carets = std::clamp<size_t>(where.width, 1, std::max<size_t>(last - at, 1));
  return quote;
}

}  // namespace

Diagnostics::Diagnostics(std::string file, std::string text)
    : file_(std::move(file)), text_(std::move(text)) {}

void Diagnostics::Add(Diagnostic diagnostic) {
  diagnostic.problem = Printable(diagnostic.problem);
  diagnostic.hint = Printable(diagnostic.hint);
  auto place = std::ranges::upper_bound(sorted_, diagnostic.where, {}, &Diagnostic::where);
  if (std::ranges::find(sorted_, diagnostic) != sorted_.end()) return;
  sorted_.insert(place, std::move(diagnostic));
  if (sorted_.size() > kMaxDiagnostics) {
    sorted_.pop_back();
    ++omitted_;
  }
}

std::string Diagnostics::Line(uint32_t number) const {
  std::string_view rest = text_;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);  // a byte order mark has no column
  for (uint32_t line = 1; line < number; ++line) {
    size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view line = rest.substr(0, rest.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return WithoutPasswords(std::string(line));
}

std::string Diagnostics::Render(const RenderOptions& options) const {
  const Palette& palette = options.color ? kColored : kPlain;
  std::string text;
  for (const Diagnostic& diagnostic : sorted_) {
    const SourceSpan& where = diagnostic.where;
    if (where.line == 0) {
      text += fmt::format("{}{}:{} {}\n", palette.place, file_, palette.reset, diagnostic.problem);
      if (!diagnostic.hint.empty()) text += fmt::format("  {}\n", diagnostic.hint);
      continue;
    }
    Quote quote = QuoteLine(Line(where.line), where);
    text += fmt::format("{}{}:{}:{}:{} {}\n", palette.place, file_, where.line, where.column,
                        palette.reset, diagnostic.problem);
    text += fmt::format("{}{:>5} |{} {}\n", palette.gutter, where.line, palette.reset, quote.line);
    text += fmt::format("{}      |{} {}{}{}{}{}{}\n", palette.gutter, palette.reset, quote.indent,
                        palette.caret, std::string(quote.carets, '^'), palette.reset,
                        diagnostic.hint.empty() ? "" : " ", diagnostic.hint);
  }
  size_t count = sorted_.size() + omitted_;
  text += fmt::format("{}: {} error{}", file_, count, count == 1 ? "" : "s");
  if (omitted_ > 0) text += fmt::format(", the first {} shown", sorted_.size());
  return text + "\n";
}

bool WantsColor(int file_descriptor) {
  // NOLINTBEGIN(concurrency-mt-unsafe): no thread of ours sets the environment.
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  if (no_color != nullptr && *no_color != '\0') return false;
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(file_descriptor) == 1;
}

}  // namespace meridian::site
