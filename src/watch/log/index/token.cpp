#include "watch/log/index/token.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace meridian::watch {
namespace {

enum ByteClass : uint8_t { kNone, kSpace, kLetter, kDigit };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (size_t byte = 0; byte < classes.size(); ++byte) {
    if (byte == ' ' || byte == '\t' || byte == '\n') classes[byte] = kSpace;
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
        byte >= 0x80) {
      classes[byte] = kLetter;
    }
    if (byte >= '0' && byte <= '9') classes[byte] = kDigit;
  }
  return classes;
}

constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

uint8_t ClassOf(char c) { return kClasses[static_cast<uint8_t>(c)]; }

}  // namespace

void AppendFolded(std::string& folded, std::string_view text) {
  size_t begin = folded.size();
  folded += text;
  for (size_t i = begin; i < folded.size(); ++i) {
    char c = folded[i];
    folded[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
}

bool IsTokenByte(char c) { return ClassOf(c) >= kLetter; }

bool TokenReader::Next(Token* token) {
  while (at_ < text_.size() && ClassOf(text_[at_]) < kLetter) ++at_;
  if (at_ == text_.size()) return false;
  size_t begin = at_;
  bool has_digit = false;
  for (; at_ < text_.size(); ++at_) {
    uint8_t byte_class = ClassOf(text_[at_]);
    if (byte_class < kLetter) break;
    has_digit |= byte_class == kDigit;
  }
  token->text = text_.substr(begin, at_ - begin);
  token->is_word = !has_digit && token->text.size() <= kMaxWordBytes;
  bool is_joint = previous_end_ > 0 && begin == previous_end_ + 1 &&
                  ClassOf(text_[previous_end_]) != kSpace && !(token->is_word && previous_is_word_);
  token->joint =
      is_joint ? text_.substr(previous_begin_, at_ - previous_begin_) : std::string_view();
  previous_begin_ = begin;
  previous_end_ = at_;
  previous_is_word_ = token->is_word;
  return true;
}

size_t FindText(std::string_view text, std::string_view part, size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t FindTerm(std::string_view text, std::string_view term, size_t from) {
  for (;;) {
    size_t begin = FindText(text, term, from);
    if (begin == std::string_view::npos) return begin;
    size_t end = begin + term.size();
    bool divides_first = IsTokenByte(term.front()) && begin > 0 && IsTokenByte(text[begin - 1]);
    bool divides_last = IsTokenByte(term.back()) && end < text.size() && IsTokenByte(text[end]);
    if (!divides_first && !divides_last) return begin;
    from = begin + 1;
  }
}

}  // namespace meridian::watch
