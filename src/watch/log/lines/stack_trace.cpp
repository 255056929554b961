#include "watch/log/lines/stack_trace.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "watch/log/lines/line_parser.hpp"

namespace meridian::watch {
namespace {

constexpr std::string_view kPythonTrace = "Traceback (most recent call last)";

// Lines that go on with an entry of any kind.
constexpr std::string_view kContinuations[] = {
    "Caused by:",
    "Suppressed:",
    "... ",
    "During handling of the above exception",
    "stack backtrace:",
    "Stack trace:",
    "note: run with",
    "The above exception was the direct cause",
};
constexpr std::string_view kGoFronts[] = {"panic: ", "goroutine ", "fatal error: "};
constexpr std::string_view kGoContinuations[] = {"goroutine ",   "created by ", "[signal ",
                                                 "exit status ", "panic(",      "\tpanic: "};

bool BeginsWithAny(std::string_view line, std::span<const std::string_view> fronts) {
  return std::ranges::any_of(fronts,
                             [&](std::string_view front) { return line.starts_with(front); });
}

bool IsIndented(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

// "#12 0x7f… in main", "#0 /app/index.php(3): f()"
bool IsNumberedFrame(std::string_view line) {
  return line.size() > 2 && line[0] == '#' && line[1] >= '0' && line[1] <= '9';
}

// "}", "})", "];": the end of what an indented line is within.
bool IsClosing(std::string_view line) {
  return line.find_first_not_of("}]);,") == std::string_view::npos;
}

// "main.(*Server).Serve(0xc000010000, 0x1)": a frame of Go.
bool IsGoFrame(std::string_view line) {
  size_t bracket = line.find('(');
  return line.ends_with(')') && bracket != std::string_view::npos && bracket > 0 &&
         !line.substr(0, bracket).contains(' ');
}

// "==4711==ERROR: AddressSanitizer: …", "WARNING: ThreadSanitizer: …" behind a line of ====.
bool IsSanitizerFront(std::string_view line) {
  return (line.starts_with("==") && line.contains("==ERROR: ")) ||
         line.starts_with("WARNING: ThreadSanitizer: ");
}

}  // namespace

void StackTrace::Begin(std::string_view line) {
  kind_ = Kind::kOther;
  if (line.starts_with(kPythonTrace)) kind_ = Kind::kPython;
  if (BeginsWithAny(line, kGoFronts)) kind_ = Kind::kGo;
  if (IsSanitizerFront(line)) kind_ = Kind::kSanitizer;
  was_indented_ = IsIndented(line);
  ended_ = false;
}

bool StackTrace::Continues(std::string_view line) {
  if (LooksLikeJson(line)) return false;
  bool after_indented = was_indented_;
  was_indented_ = IsIndented(line);
  if (was_indented_ || BeginsWithAny(line, kContinuations) || IsNumberedFrame(line)) return true;
  if (after_indented && IsClosing(line)) return true;
  switch (kind_) {
    case Kind::kOther:
      return false;
    case Kind::kPython:
      return ContinuesPython(line);
    case Kind::kGo:
      return BeginsWithAny(line, kGoContinuations) || IsGoFrame(line);
    case Kind::kSanitizer: {
      bool continues = !ended_;
      ended_ = line.ends_with("==ABORTING");
      return continues;
    }
  }
  return false;
}

// The first line behind the frames names the exception. Another trace may follow ("During handling
// of the above exception, …").
bool StackTrace::ContinuesPython(std::string_view line) {
  if (line.starts_with(kPythonTrace)) {
    ended_ = false;
    return true;
  }
  bool continues = !ended_;
  ended_ = true;
  return continues;
}

}  // namespace meridian::watch
