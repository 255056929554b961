#include "lab/link_status.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "lab/link_table.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::lab {
namespace {

using std::chrono::microseconds;
using wire::json::Value;

constexpr size_t kIndent = 2;
constexpr std::string_view kPrefix = "/links/";
constexpr std::array<std::pair<LinkOrder::Kind, std::string_view>, 4> kVerbs = {{
    {LinkOrder::Kind::kSet, "set"},
    {LinkOrder::Kind::kCut, "cut"},
    {LinkOrder::Kind::kHalfCut, "half-cut"},
    {LinkOrder::Kind::kHeal, "heal"},
}};

int64_t Microseconds(Duration duration) {
  return std::chrono::duration_cast<microseconds>(duration).count();
}

// Removes the next part of `path`, up to and including a '/', and returns it.
std::string_view TakePart(std::string_view& path) {
  std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(part.size() + 1, path.size()));
  return part;
}

Result<void> ReadSetting(std::string_view setting, LinkOrder* order) {
  std::string_view name = setting.substr(0, setting.find('='));
  std::string_view text = setting.substr(std::min(name.size() + 1, setting.size()));
  // Above every limit, but below an overflow in nanoseconds.
  constexpr int64_t kMost = int64_t{1} << 50;
  int64_t value = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > kMost) {
    return Fail(Errc::kInvalid, "{} is not a number", name);
  }
  if (name == "latency_us") {
    order->round_trip = microseconds(value);
  } else if (name == "jitter_us") {
    order->jitter = microseconds(value);
  } else if (name == "rate_bits") {
    order->bits_per_second = static_cast<uint64_t>(value);
  } else {
    return Fail(Errc::kInvalid, "there is no setting {}", name);
  }
  return {};
}

}  // namespace

std::vector<LinkStatus> StatusOf(const LinkTable& table) {
  std::vector<LinkStatus> all;
  for (const Link& link : table.links()) {
    bool a_cut = link.from_a.cut();
    bool b_cut = link.from_b.cut();
    bool half = a_cut != b_cut;
    all.push_back({.a = link.a,
                   .b = link.b,
                   .latency_ms = Milliseconds(link.round_trip),
                   .jitter_ms = Milliseconds(link.jitter),
                   .rate_bits = link.from_a.rate(),
                   .state = half    ? "half-cut"
                            : a_cut ? "cut"
                                    : "up",
                   .silent = !half   ? ""
                             : a_cut ? link.a
                                     : link.b,
                   .bytes_from_a = link.from_a.carried_bytes(),
                   .bytes_from_b = link.from_b.carried_bytes()});
  }
  return all;
}

std::string EncodeLinks(const std::vector<LinkStatus>& links) {
  wire::json::Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("links");
  for (const LinkStatus& link : links) {
    writer.BeginObject();
    writer.Member("a", link.a);
    writer.Member("b", link.b);
    writer.Member("latency_ms", link.latency_ms);
    writer.Member("jitter_ms", link.jitter_ms);
    writer.Member("rate_bits", link.rate_bits);
    writer.Member("state", link.state);
    writer.Member("silent", link.silent);
    writer.Member("bytes_from_a", link.bytes_from_a);
    writer.Member("bytes_from_b", link.bytes_from_b);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

Result<std::vector<LinkStatus>> DecodeLinks(std::string_view text) {
  Result<Value> json = wire::json::Parse(text);
  const Value* list = json ? json->Find("links") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return Fail(Errc::kInvalid, "the lab's answer about its links cannot be read");
  }
  std::vector<LinkStatus> all;
  for (const Value& each : list->elements()) {
    all.push_back({.a = each.TextOf("a"),
                   .b = each.TextOf("b"),
                   .latency_ms = each.NumberOf("latency_ms"),
                   .jitter_ms = each.NumberOf("jitter_ms"),
                   .rate_bits = each.WholeNumberOf("rate_bits"),
                   .state = each.TextOf("state"),
                   .silent = each.TextOf("silent"),
                   .bytes_from_a = each.WholeNumberOf("bytes_from_a"),
                   .bytes_from_b = each.WholeNumberOf("bytes_from_b")});
    if (all.back().a.empty() || all.back().b.empty() || all.back().state.empty()) {
      return Fail(Errc::kInvalid, "the lab's answer about a link cannot be read");
    }
  }
  return all;
}

std::string EncodeRequest(const LinkRequest& request) {
  const LinkOrder& order = request.order;
  auto verb = std::ranges::find(kVerbs, order.kind, [](const auto& each) { return each.first; });
  std::string text = fmt::format("{}{}/{}/{}", kPrefix, request.from, request.to, verb->second);
  char separator = '?';
  auto add = [&](std::string_view name, auto value) {
    text += fmt::format("{}{}={}", std::exchange(separator, '&'), name, value);
  };
  if (order.round_trip) add("latency_us", Microseconds(*order.round_trip));
  if (order.jitter) add("jitter_us", Microseconds(*order.jitter));
  if (order.bits_per_second) add("rate_bits", *order.bits_per_second);
  return text;
}

Result<LinkRequest> DecodeRequest(std::string_view path, std::string_view query) {
  std::string_view rest = path;
  LinkRequest request;
  if (rest.starts_with(kPrefix)) {
    rest.remove_prefix(kPrefix.size());
    request.from = TakePart(rest);
    request.to = TakePart(rest);
  }
  auto verb = std::ranges::find(kVerbs, rest, [](const auto& each) { return each.second; });
  if (request.to.empty() || verb == kVerbs.end()) {
    return Fail(Errc::kNotFound, "there is no command {}", path);
  }
  request.order.kind = verb->first;
  while (!query.empty()) {
    std::string_view setting = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(setting.size() + 1, query.size()));
    Result<void> read = ReadSetting(setting, &request.order);
    if (!read) return Fail(std::move(read.error()));
  }
  return request;
}

}  // namespace meridian::lab
