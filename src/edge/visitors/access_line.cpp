#include "edge/visitors/access_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

void AppendNumber(std::integral auto number, std::string* out) {
  std::array<char, 24> text;
  auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out->append(text.data(), end);
}

// Appends exactly `digits` digits.
void AppendDigits(uint64_t number, int digits, std::string* out) {
  std::array<char, 20> text;
  for (int i = digits - 1; i >= 0; --i, number /= 10) {
    text[static_cast<size_t>(i)] = static_cast<char>('0' + number % 10);
  }
  out->append(text.data(), static_cast<size_t>(digits));
}

// Appends seconds with microseconds.
void AppendSeconds(Duration duration, std::string* out) {
  const auto us = static_cast<uint64_t>(
      std::max(std::chrono::floor<std::chrono::microseconds>(duration).count(), int64_t{0}));
  AppendNumber(us / 1'000'000, out);
  *out += '.';
  AppendDigits(us % 1'000'000, 6, out);
}

bool IsPlain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; });
}

// Appends `before`, the text escaped for a JSON string, and the closing quote. True: the text was
// cut.
bool AppendText(std::string_view before, std::string_view text, size_t max_bytes,
                std::string* out) {
  *out += before;
  const bool cut = text.size() > max_bytes;
  text = text.substr(0, max_bytes);
  if (IsPlain(text)) {
    *out += text;
    *out += '"';
  } else {
    out->pop_back();  // AppendJsonString writes both quotes
    AppendJsonString(*out, text);
  }
  return cut;
}

void AppendClient(const IpAddress& address, std::string* out) {
  if (!address.is_v4()) {
    *out += address.ToString();
    return;
  }
  char separator = 0;
  for (uint8_t byte : address.bytes()) {
    if (separator != 0) *out += separator;
    AppendNumber(byte, out);
    separator = '.';
  }
}

}  // namespace

void AccessLineWriter::AppendTime(WallTime time, std::string* out) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (second != second_) {
    second_ = second;
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss of_day{second - day};
    auto end = fmt::format_to_n(second_text_.data(), second_text_.size(),
                                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
                                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()), of_day.hours().count(),
                                of_day.minutes().count(), of_day.seconds().count());
    second_bytes_ = std::min(end.size, second_text_.size());
  }
  out->append(second_text_.data(), second_bytes_);
  *out += '.';
  AppendDigits(
      static_cast<uint64_t>(std::chrono::floor<std::chrono::microseconds>(time - second).count()),
      6, out);
}

void AccessLineWriter::Append(const AccessEntry& entry, std::string* out) {
  const wire::http::RequestHead& request = entry.request;
  *out += R"({"time":")";
  AppendTime(entry.time, out);
  *out += R"(Z","request_id":")";
  *out += entry.ids.request_id();  // safe in JSON: IsRequestId
  *out += R"(","trace_id":")";
  *out += entry.ids.trace_id();
  *out += R"(","client":")";
  AppendClient(entry.client, out);
  bool cut = AppendText(R"(","method":")", request.method, kMaxLoggedMethodBytes, out);
  cut |= AppendText(R"(,"host":")", request.authority, kMaxLoggedHostBytes, out);
  cut |= AppendText(R"(,"target":")", request.target, kMaxLoggedTargetBytes, out);
  *out += R"(,"status":)";
  AppendNumber(entry.status, out);
  *out +=
      entry.complete ? R"(,"complete":true,"sent_bytes":)" : R"(,"complete":false,"sent_bytes":)";
  AppendNumber(entry.sent_bytes, out);
  *out += R"(,"duration_s":)";
  AppendSeconds(entry.took, out);
  *out += R"(,"result":")";
  *out += VisitorResultName(entry.result);
  AppendText(R"(","datacenter":")", entry.datacenter, entry.datacenter.size(), out);
  AppendText(R"(,"instance":")", entry.instance, entry.instance.size(), out);
  cut |= AppendText(R"(,"user_agent":")", request.fields.Find("User-Agent").value_or(""),
                    kMaxLoggedAgentBytes, out);
  cut |= AppendText(R"(,"referer":")", request.fields.Find("Referer").value_or(""),
                    kMaxLoggedRefererBytes, out);
  *out += cut ? ",\"truncated\":true}\n" : "}\n";
}

}  // namespace meridian::edge
