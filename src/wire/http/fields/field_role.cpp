#include "wire/http/fields/field_role.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/fields/field_role_table.hpp"

namespace meridian::wire::http {
namespace {

bool IsSeparator(char c) {
  const char lower = ToLower(c);
  return !IsDigit(c) && (lower < 'a' || lower > 'z');
}

// Iterates over the characters of a name as a program sees them that does not distinguish
// separators.
class PlainCharacters {
 public:
  explicit PlainCharacters(std::string_view name) : rest_(name) { SkipSeparators(); }

  // The next character, or 0 at the end.
  char Next() {
    if (rest_.empty()) return 0;
    if (!IsSeparator(rest_.front())) {
      const char c = ToLower(rest_.front());
      rest_.remove_prefix(1);
      return c;
    }
    SkipSeparators();
    return rest_.empty() ? '\0' : '-';
  }

 private:
  void SkipSeparators() {
    while (!rest_.empty() && IsSeparator(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

// The same as a text. A name longer than all names in the table is truncated.
class PlainName {
 public:
  explicit PlainName(std::string_view name) {
    PlainCharacters characters(name);
    while (size_ < text_.size()) {
      const char c = characters.Next();
      if (c == 0) break;
      text_[size_++] = c;
    }
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxKnownNameBytes + 1> text_;
  size_t size_ = 0;
};

FieldRole RoleOfPlain(std::string_view name) {
  const auto* known = std::ranges::lower_bound(kKnownFields, name, ShorterOrBefore, &Known::name);
  if (known != kKnownFields.end() && known->name == name) return known->role;
  for (const Known& family : kKnownFamilies) {
    if (name.starts_with(family.name)) return family.role;
  }
  return FieldRole::kPlain;
}

}  // namespace

FieldRole RoleOf(std::string_view name) { return RoleOfPlain(PlainName(name).text()); }

bool LooksLike(std::string_view a, std::string_view b) {
  PlainCharacters left(a);
  PlainCharacters right(b);
  for (;;) {
    const char c = left.Next();
    if (c != right.Next()) return false;
    if (c == 0) return true;
  }
}

bool PassesOn(std::string_view name, SenderTrust sender) {
  const PlainName plain(name);
  const bool spelled_plainly = EqualsIgnoreCase(name, plain.text());
  switch (RoleOfPlain(plain.text())) {
    case FieldRole::kPlain:
      return sender.underscores || !name.contains('_');
    case FieldRole::kRead:
      return spelled_plainly;
    case FieldRole::kSet:
      return spelled_plainly && sender.is_edge;
    case FieldRole::kClaim:
      return false;
  }
  return false;
}

}  // namespace meridian::wire::http
