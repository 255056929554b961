#include "wire/http/fields/trace_context.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr size_t kParentIdAt = 3 + kTraceIdBytes + 1;
constexpr size_t kParentIdBytes = 16;
constexpr size_t kFlagsAt = kParentIdAt + kParentIdBytes + 1;
constexpr size_t kMaxMemberKeyBytes = 256;
constexpr size_t kMaxMemberValueBytes = 256;

bool IsLowerHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kDigits.contains(c); });
}

bool IsId(std::string_view text) {
  return IsLowerHex(text) && text.find_first_not_of('0') != text.npos;
}

// Writes 16 digits.
char* WriteHex(uint64_t number, char* to) {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kDigits[(number >> shift) & 0xf];
  return to;
}

bool IsMemberKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxMemberKeyBytes) return false;
  if (!IsDigit(key.front()) && (key.front() < 'a' || key.front() > 'z')) return false;
  return std::ranges::all_of(key, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || std::string_view("_-*/@").contains(c);
  });
}

bool IsMemberValue(std::string_view value) {
  if (value.empty() || value.size() > kMaxMemberValueBytes || value.back() == ' ') return false;
  return std::ranges::all_of(value,
                             [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

// Counts the members of one field; false when one of them is invalid.
bool CountMembers(std::string_view field, size_t* members) {
  while (!field.empty()) {
    const size_t end = std::min(field.find(','), field.size());
    const std::string_view member = TrimWhitespace(field.substr(0, end));
    field.remove_prefix(std::min(end + 1, field.size()));
    if (member.empty()) continue;
    const size_t equals = member.find('=');
    if (equals == member.npos) return false;
    if (!IsMemberKey(member.substr(0, equals)) || !IsMemberValue(member.substr(equals + 1))) {
      return false;
    }
    ++*members;
  }
  return true;
}

bool IsTraceState(const HeaderFields& fields) {
  size_t bytes = 0;
  size_t members = 0;
  bool valid = true;
  fields.ForEach(kTraceStateField, [&](std::string_view field) {
    bytes += field.size();
    valid = valid && bytes <= kMaxTraceStateBytes && CountMembers(field, &members);
  });
  return valid && members > 0 && members <= kMaxTraceStateMembers;
}

// The field's value if the field occurs exactly once.
std::string_view Only(const HeaderFields& fields, std::string_view name) {
  std::string_view value;
  size_t count = 0;
  fields.ForEach(name, [&](std::string_view each) {
    value = each;
    ++count;
  });
  return count == 1 ? value : std::string_view();
}

}  // namespace

std::optional<std::array<char, kTraceParentBytes>> ParseTraceParent(std::string_view text) {
  if (text.size() < kTraceParentBytes) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view flags = text.substr(kFlagsAt, 2);
  if (!IsLowerHex(version) || version == "ff" || !IsLowerHex(flags)) return std::nullopt;
  if (text[2] != '-' || text[kParentIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') {
    return std::nullopt;
  }
  if (!IsId(text.substr(3, kTraceIdBytes)) || !IsId(text.substr(kParentIdAt, kParentIdBytes))) {
    return std::nullopt;
  }
  const bool ends = text.size() == kTraceParentBytes;
  if (version == "00" ? !ends : !ends && text[kTraceParentBytes] != '-') return std::nullopt;
  std::array<char, kTraceParentBytes> parent;
  std::ranges::copy(text.substr(0, kTraceParentBytes), parent.begin());
  if (version != "00") {
    // Other flags of a higher version are not forwarded as flags of version 00.
    const bool sampled = (HexValue(flags[1]) & 1) != 0;
    parent[0] = parent[1] = parent[kFlagsAt] = '0';
    parent[kFlagsAt + 1] = sampled ? '1' : '0';
  }
  return parent;
}

bool IsRequestId(std::string_view text) {
  if (text.empty() || text.size() > kMaxRequestIdBytes) return false;
  return std::ranges::all_of(text, [](char c) {
    const char lower = ToLower(c);
    return IsDigit(c) || (lower >= 'a' && lower <= 'z') || std::string_view("-_.:+/=@").contains(c);
  });
}

RequestIds::RequestIds(const RequestHead& request, Random& random) {  // NOLINT: arrays are filled
  if (auto parent = ParseTraceParent(Only(request.fields, kTraceParentField))) {
    traceparent_ = *parent;
    passes_state_ = IsTraceState(request.fields);
  } else {
    MakeTrace(random);
  }
  const std::string_view id = Only(request.fields, kRequestIdField);
  if (IsRequestId(id)) {
    std::ranges::copy(id, request_id_.begin());
    request_id_bytes_ = id.size();
  } else {
    char* end = WriteHex(random.Next(), WriteHex(random.Next(), request_id_.data()));
    request_id_bytes_ = static_cast<size_t>(end - request_id_.data());
  }
}

void RequestIds::MakeTrace(Random& random) {
  char* to = std::ranges::copy(std::string_view("00-"), traceparent_.data()).out;
  to = WriteHex(random.Next() | 1, WriteHex(random.Next(), to));  // never all zeros
  *to++ = '-';
  to = WriteHex(random.Next() | 1, to);
  std::ranges::copy(std::string_view("-01"), to);
}

void RequestIds::AddTo(const RequestHead& request, HeaderFields* fields) const {
  fields->Add(kRequestIdField, request_id());
  fields->Add(kTraceParentField, traceparent());
  if (!passes_state_) return;
  request.fields.ForEach(kTraceStateField,
                         [&](std::string_view state) { fields->Add(kTraceStateField, state); });
}

}  // namespace meridian::wire::http
