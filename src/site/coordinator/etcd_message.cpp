#include "site/coordinator/etcd_message.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/result.hpp"
#include "base/text/base64.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/limits.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

using wire::json::Value;

// Nothing: it is no number.
std::optional<int64_t> Number(const Value* value) {
  if (value == nullptr) return 0;
  if (auto number = value->integer()) return number;
  const std::optional<std::string_view> text = value->text();
  if (!text) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

Error Malformed(std::string_view what) {
  return {Errc::kInvalid, "etcd's answer has no valid " + std::string(what)};
}

Result<Value> ParseAnswer(std::string_view json) {
  auto answer = wire::json::Parse(json, kMaxEtcdAnswerBytes);
  if (!answer) return Fail(std::move(answer.error()));
  if (!answer->is_object()) return Fail(Malformed("object"));
  return answer;
}

// Of an answer or a part of it.
Result<int64_t> NewestRevision(const Value& answer) {
  const Value* header = answer.Find("header");
  const std::optional<int64_t> revision =
      header == nullptr ? std::nullopt : Number(header->Find("revision"));
  if (!revision || *revision <= 0) return Fail(Malformed("revision"));
  return *revision;
}

// Of the answer to a range of one key.
Result<StoredKey> KeyOf(const Value& range, int64_t newest) {
  const std::span<const Value> found = range.ElementsOf("kvs");
  if (found.empty()) return StoredKey{.newest_revision = newest};
  const std::optional<int64_t> revision = Number(found.front().Find("mod_revision"));
  if (found.size() > 1 || !revision || *revision <= 0) return Fail(Malformed("key"));
  Result<std::string> value = FromBase64(found.front().TextOf("value"));
  if (!value) return Fail(Malformed("value"));
  if (value->size() > kMaxEtcdValueBytes) {
    return Fail(Errc::kTooLarge, "a value of etcd has more than {} bytes", kMaxEtcdValueBytes);
  }
  return StoredKey{.value = std::move(*value), .revision = *revision, .newest_revision = newest};
}

}  // namespace

std::string EtcdRead(std::string_view key) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("key", Base64(key));
  writer.EndObject();
  return writer.Take();
}

std::string EtcdWrite(std::string_view key, std::string_view value, int64_t revision) {
  const std::string name = Base64(key);
  wire::json::Writer writer;
  writer.BeginObject();
  writer.BeginArray("compare");
  writer.BeginObject();
  writer.Member("key", name);
  writer.Member("target", "MOD");
  writer.Member("result", "EQUAL");
  writer.Member("mod_revision", std::to_string(revision));
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("success");
  writer.BeginObject();
  writer.BeginObject("request_put");
  writer.Member("key", name);
  writer.Member("value", Base64(value));
  writer.EndObject();
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("failure");
  writer.BeginObject();
  writer.BeginObject("request_range");
  writer.Member("key", name);
  writer.EndObject();
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

Result<StoredKey> ReadEtcdKey(std::string_view json) {
  auto answer = ParseAnswer(json);
  if (!answer) return Fail(std::move(answer.error()));
  Result<int64_t> newest = NewestRevision(*answer);
  if (!newest) return Fail(std::move(newest.error()));
  return KeyOf(*answer, *newest);
}

Result<KeyWrite> ReadEtcdWrite(std::string_view json, std::string value) {
  auto answer = ParseAnswer(json);
  if (!answer) return Fail(std::move(answer.error()));
  Result<int64_t> newest = NewestRevision(*answer);
  if (!newest) return Fail(std::move(newest.error()));
  if (answer->BooleanOf("succeeded")) {
    return KeyWrite{
        .done = true,
        .now = {.value = std::move(value), .revision = *newest, .newest_revision = *newest}};
  }
  const std::span<const Value> responses = answer->ElementsOf("responses");
  const Value* range = responses.size() == 1 ? responses.front().Find("response_range") : nullptr;
  if (range == nullptr) return Fail(Malformed("response"));
  Result<StoredKey> now = KeyOf(*range, *newest);
  if (!now) return Fail(std::move(now.error()));
  return KeyWrite{.done = false, .now = std::move(*now)};
}

std::string EtcdProblem(std::string_view body) {
  auto answer = wire::json::Parse(body, kMaxEtcdAnswerBytes);
  std::string text = answer ? answer->TextOf("error") : "";
  if (text.empty()) text = body;
  text.resize(std::min(text.size(), kMaxEtcdErrorBytes));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, ' ');
  return text;
}

}  // namespace meridian::site
