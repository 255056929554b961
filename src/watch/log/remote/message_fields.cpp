#include "watch/log/remote/message_fields.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/printable.hpp"
#include "watch/log/remote/limits.hpp"
#include "wire/json/value.hpp"

namespace meridian::watch {

using wire::json::Value;

MessageFields::MessageFields(const Value& object, std::optional<Error>* error)
    : object_(object), error_(error) {
  if (!object.is_object()) Reject(Errc::kInvalid, "message", "it is not an object");
}

const Value* MessageFields::Find(std::string_view name) {
  read_.push_back(name);
  return *error_ ? nullptr : object_.Find(name);
}

void MessageFields::Reject(Errc code, std::string_view name, std::string_view why) {
  if (!*error_) *error_ = Error{.code = code, .message = fmt::format("{}: {}", name, why)};
}

void MessageFields::RejectOthers() {
  for (const wire::json::Member& member : object_.members()) {
    // Its name comes from a peer, so it is not repeated.
    if (std::ranges::find(read_, member.name) == read_.end()) {
      Reject(Errc::kInvalid, "message", "it has a member that this version does not know");
    }
  }
}

std::string MessageFields::Text(std::string_view name, size_t max_bytes) {
  const Value* value = Find(name);
  if (value == nullptr) return "";
  std::optional<std::string_view> text = value->text();
  if (!text) {
    Reject(Errc::kInvalid, name, "it is not a text");
  } else if (text->size() > max_bytes) {
    Reject(Errc::kTooLarge, name, fmt::format("longer than {} bytes", max_bytes));
  } else if (!IsPrintable(*text)) {
    Reject(Errc::kInvalid, name, "it has control characters");
  } else {
    return std::string(*text);
  }
  return "";
}

std::span<const Value> MessageFields::Elements(std::string_view name, size_t max) {
  const Value* value = Find(name);
  if (value == nullptr) return {};
  if (!value->is_array()) {
    Reject(Errc::kInvalid, name, "it is not an array");
  } else if (value->elements().size() > max) {
    Reject(Errc::kTooLarge, name, fmt::format("more than {} elements", max));
  } else {
    return value->elements();
  }
  return {};
}

std::vector<std::string> MessageFields::Texts(std::string_view name, size_t max, size_t max_bytes) {
  std::vector<std::string> texts;
  for (const Value& element : Elements(name, max)) {
    std::optional<std::string_view> text = element.text();
    if (!text || !IsPrintable(*text)) {
      Reject(Errc::kInvalid, name, "an element is not a printable text");
      return {};
    }
    if (text->size() > max_bytes) {
      Reject(Errc::kTooLarge, name, fmt::format("an element is longer than {} bytes", max_bytes));
      return {};
    }
    texts.emplace_back(*text);
  }
  return texts;
}

std::optional<int64_t> MessageFields::Integer(std::string_view name) {
  const Value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<int64_t> number = value->integer();
  if (!number) Reject(Errc::kInvalid, name, "it is not an integer of 64 bits");
  return number;
}

std::optional<uint64_t> MessageFields::Unsigned(std::string_view name, uint64_t max) {
  const Value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<uint64_t> number = value->whole_number();
  if (number && *number <= max) return number;
  Reject(Errc::kInvalid, name, fmt::format("it is not a whole number of at most {}", max));
  return std::nullopt;
}

std::optional<LogTime> MessageFields::Time(std::string_view name) {
  std::optional<int64_t> number = Integer(name);
  if (!number) return std::nullopt;
  if (*number < -kMaxMicroseconds || *number > kMaxMicroseconds) {
    Reject(Errc::kInvalid, name, "it is no time");
    return std::nullopt;
  }
  return LogTime(std::chrono::microseconds{*number});
}

bool MessageFields::Boolean(std::string_view name) {
  const Value* value = Find(name);
  if (value == nullptr) return false;
  std::optional<bool> flag = value->boolean();
  if (!flag) Reject(Errc::kInvalid, name, "it is neither true nor false");
  return flag.value_or(false);
}

const Value* MessageFields::Object(std::string_view name) {
  const Value* value = Find(name);
  if (value == nullptr || value->is_object()) return value;
  Reject(Errc::kInvalid, name, "it is not an object");
  return nullptr;
}

}  // namespace meridian::watch
