#include "wire/http/fields/cache_control.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "wire/http/characters.hpp"
#include "wire/http/fields/structured_field.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

using std::chrono::seconds;

struct Flag {
  std::string_view name;
  bool CacheControl::* member;
};
constexpr std::array<Flag, 9> kFlags = {{{"no-store", &CacheControl::no_store},
                                         {"no-cache", &CacheControl::no_cache},
                                         {"no-transform", &CacheControl::no_transform},
                                         {"public", &CacheControl::is_public},
                                         {"private", &CacheControl::is_private},
                                         {"must-revalidate", &CacheControl::must_revalidate},
                                         {"proxy-revalidate", &CacheControl::proxy_revalidate},
                                         {"must-understand", &CacheControl::must_understand},
                                         {"immutable", &CacheControl::immutable}}};

struct Age {
  std::string_view name;
  std::optional<seconds> CacheControl::* member;
  bool is_lifetime;  // an invalid value means stale, not absent
};
constexpr std::array<Age, 6> kAges = {
    {{"max-age", &CacheControl::max_age, true},
     {"s-maxage", &CacheControl::s_maxage, true},
     {"stale-while-revalidate", &CacheControl::stale_while_revalidate, false},
     {"stale-if-error", &CacheControl::stale_if_error, false},
     {"min-fresh", &CacheControl::min_fresh, false},
     {"max-stale", &CacheControl::max_stale, false}}};

const Flag* FindFlag(std::string_view name) {
  const auto* flag =
      std::ranges::find_if(kFlags, [&](const Flag& f) { return EqualsIgnoreCase(f.name, name); });
  return flag == kFlags.end() ? nullptr : flag;
}

const Age* FindAge(std::string_view name) {
  const auto* age =
      std::ranges::find_if(kAges, [&](const Age& a) { return EqualsIgnoreCase(a.name, name); });
  return age == kAges.end() ? nullptr : age;
}

std::string_view Unquoted(std::string_view value) {
  bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::optional<seconds> ParseDeltaSeconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    value = std::min<int64_t>(value * 10 + (c - '0'), kMaxDeltaSeconds.count());
  }
  return seconds(value);
}

void Set(const Age& age, std::optional<seconds> value, CacheControl* control) {
  std::optional<seconds>& slot = control->*age.member;
  if (age.is_lifetime && (!value || (slot && *slot != *value))) value = seconds::zero();
  if (value) slot = value;
}

bool IsQuotedString(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size();
    if (text[i] == '\\') ++i;
  }
  return false;
}

// cache-directive = token [ "=" ( token / quoted-string ) ] (RFC 9111 5.2).
bool IsDirective(std::string_view text) {
  const size_t equals = text.find('=');
  if (!IsToken(TrimWhitespace(text.substr(0, equals)))) return false;
  if (equals == std::string_view::npos) return true;
  const std::string_view value = TrimWhitespace(text.substr(equals + 1));
  return IsToken(value) || IsQuotedString(value);
}

// For a directive that cannot be parsed.
void ReadTheStrictestWay(CacheControl* control) {
  control->no_store = control->no_cache = control->is_private = true;
  control->must_revalidate = true;
}

void ReadDirective(std::string_view directive, CacheControl* control) {
  size_t equals = directive.find('=');
  std::string_view name = TrimWhitespace(directive.substr(0, equals));
  if (const Flag* flag = FindFlag(name)) {
    control->*flag->member = true;
    return;
  }
  if (EqualsIgnoreCase(name, "only-if-cached")) {
    control->only_if_cached = true;
    return;
  }
  const Age* age = FindAge(name);
  if (age == nullptr) return;
  if (equals == std::string_view::npos && age->member == &CacheControl::max_stale) {
    control->max_stale = kMaxDeltaSeconds;
    return;
  }
  std::string_view value =
      equals == std::string_view::npos ? "" : TrimWhitespace(directive.substr(equals + 1));
  Set(*age, ParseDeltaSeconds(Unquoted(value)), control);
}

// False: the value has another type than the directive takes.
bool ReadMember(const DictionaryMember& member, CacheControl* control) {
  const auto* item = std::get_if<StructuredItem>(&member.value);
  if (const Flag* flag = FindFlag(member.key)) {
    // private and no-cache may name fields, as a String.
    bool names =
        flag->member == &CacheControl::is_private || flag->member == &CacheControl::no_cache;
    if (item == nullptr) return false;
    if (const bool* value = std::get_if<bool>(&item->value)) {
      control->*flag->member = *value;
      return true;
    }
    control->*flag->member = true;
    return names && std::holds_alternative<std::string>(item->value);
  }
  const Age* age = FindAge(member.key);
  if (age == nullptr) return true;
  const auto* value = item == nullptr ? nullptr : std::get_if<int64_t>(&item->value);
  if (value == nullptr || *value < 0) return false;
  control->*age->member = seconds(std::min<int64_t>(*value, kMaxDeltaSeconds.count()));
  return true;
}

}  // namespace

CacheControl ParseCacheControl(const HeaderFields& fields) {
  CacheControl control;
  fields.ForEachElement("Cache-Control", [&](std::string_view directive) {
    if (!IsDirective(directive)) return ReadTheStrictestWay(&control);
    ReadDirective(directive, &control);
  });
  return control;
}

std::optional<CacheControl> ParseTargetedCacheControl(const HeaderFields& fields,
                                                      std::string_view name) {
  std::string all;
  fields.ForEach(name, [&](std::string_view value) {
    if (!all.empty()) all += ", ";
    all += value;
  });
  std::optional<Dictionary> dictionary = ParseDictionary(all);
  if (!dictionary || dictionary->empty()) return std::nullopt;
  CacheControl control;
  for (const DictionaryMember& member : *dictionary) {
    if (!ReadMember(member, &control)) return std::nullopt;
  }
  return control;
}

}  // namespace meridian::wire::http
