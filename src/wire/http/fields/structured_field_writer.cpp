#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/core.h>

#include "base/text/utf8.hpp"
#include "wire/http/fields/structured_field.hpp"
#include "wire/http/fields/structured_field_characters.hpp"

namespace meridian::wire::http {
namespace {

// The algorithms of RFC 9651 4.1. After the first failure all fail.
class Writer {
 public:
  std::optional<std::string> Take() {
    if (!ok_) return std::nullopt;
    return std::move(out_);
  }

  void Member(const StructuredMember& member) {
    if (const auto* item = std::get_if<StructuredItem>(&member)) {
      Item(*item);
    } else {
      Inner(std::get<InnerList>(member));
    }
  }

  void Item(const StructuredItem& item) {
    std::visit(*this, item.value);
    Write(item.parameters);
  }

  // A member whose value is true is written as its key alone.
  void Write(const DictionaryMember& member) {
    Key(member.key);
    const auto* item = std::get_if<StructuredItem>(&member.value);
    if (item != nullptr && item->value == BareItem(true)) {
      Write(item->parameters);
      return;
    }
    out_.push_back('=');
    Member(member.value);
  }

  void Separate() {
    if (!out_.empty()) out_ += ", ";
  }

  void operator()(int64_t value) {
    ok_ = ok_ && value >= -structured::kMaxInteger && value <= structured::kMaxInteger;
    out_ += fmt::format("{}", value);
  }
  void operator()(Decimal value) {
    int64_t all = value.thousandths;
    ok_ = ok_ && all >= -structured::kMaxThousandths && all <= structured::kMaxThousandths;
    if (!ok_) return;
    if (all < 0) out_.push_back('-');
    all = all < 0 ? -all : all;
    std::string fraction = fmt::format("{:03}", all % 1000);
    while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
    out_ += fmt::format("{}.{}", all / 1000, fraction);
  }
  void operator()(const std::string& text) {
    out_.push_back('"');
    for (char c : text) {
      ok_ = ok_ && structured::IsVisible(c);
      if (c == '"' || c == '\\') out_.push_back('\\');
      out_.push_back(c);
    }
    out_.push_back('"');
  }
  void operator()(const Token& token) {
    ok_ = ok_ && !token.text.empty() && structured::IsTokenStart(token.text.front());
    for (char c : token.text) ok_ = ok_ && structured::IsTokenRest(c);
    out_ += token.text;
  }
  void operator()(const ByteSequence& sequence) {
    out_.push_back(':');
    std::string_view bytes = sequence.bytes;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t group = 0;
      for (size_t k = 0; k < 3; ++k) {
        group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
      }
      for (size_t k = 0; k < 4; ++k) {
        bool pads = i + k > bytes.size();
        out_.push_back(pads ? '=' : structured::kBase64[group >> (18 - 6 * k) & 63]);
      }
    }
    out_.push_back(':');
  }
  void operator()(bool value) { out_ += value ? "?1" : "?0"; }
  void operator()(StructuredDate date) {
    out_.push_back('@');
    (*this)(date.seconds);
  }
  void operator()(const DisplayString& text) {
    ok_ = ok_ && IsUtf8(text.utf8);
    out_ += "%\"";
    for (char c : text.utf8) {
      if (structured::IsVisible(c) && c != '%' && c != '"') {
        out_.push_back(c);
      } else {
        out_ += fmt::format("%{:02x}", static_cast<uint8_t>(c));
      }
    }
    out_.push_back('"');
  }

 private:
  void Inner(const InnerList& list) {
    out_.push_back('(');
    for (const StructuredItem& item : list.items) {
      if (&item != list.items.data()) out_.push_back(' ');
      Item(item);
    }
    out_.push_back(')');
    Write(list.parameters);
  }

  void Write(const Parameters& parameters) {
    for (const Parameter& parameter : parameters) {
      out_.push_back(';');
      Key(parameter.key);
      if (parameter.value == BareItem(true)) continue;
      out_.push_back('=');
      std::visit(*this, parameter.value);
    }
  }

  void Key(std::string_view key) {
    ok_ = ok_ && !key.empty() && structured::IsKeyStart(key.front());
    for (char c : key) ok_ = ok_ && structured::IsKeyChar(c);
    out_ += key;
  }

  std::string out_;
  bool ok_ = true;
};

}  // namespace

std::optional<std::string> SerializeItem(const StructuredItem& item) {
  Writer writer;
  writer.Item(item);
  return writer.Take();
}

std::optional<std::string> SerializeList(const StructuredList& list) {
  Writer writer;
  for (const StructuredMember& member : list) {
    writer.Separate();
    writer.Member(member);
  }
  return writer.Take();
}

std::optional<std::string> SerializeDictionary(const Dictionary& dictionary) {
  Writer writer;
  for (const DictionaryMember& member : dictionary) {
    writer.Separate();
    writer.Write(member);
  }
  return writer.Take();
}

}  // namespace meridian::wire::http
