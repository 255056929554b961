#include "wire/dns/name.hpp"

#include <gtest/gtest.h>

#include "wire/dns/case_file.hpp"

namespace meridian::wire::dns {
namespace {

Name Parsed(std::string_view text) {
  Result<Name> name = Name::Parse(text);
  EXPECT_TRUE(name) << text;
  return name.value_or(Name());
}

std::string Repeated(char c, size_t count) { return std::string(count, c); }

// A message of a header full of zeros and `tail`.
std::vector<uint8_t> Message(const std::string& tail) { return BytesOf("00*12 " + tail); }

TEST(Name, PrintsWhatItParsed) {
  EXPECT_EQ(Parsed("photos.example").ToString(), "photos.example.");
  EXPECT_EQ(Parsed("Photos.Example.").ToString(), "Photos.Example.");
  EXPECT_EQ(Parsed("_8443._https.a-b.").ToString(), "_8443._https.a-b.");
  EXPECT_EQ(Parsed(".").ToString(), ".");
  EXPECT_EQ(Name().ToString(), ".");
}

TEST(Name, EscapesAreReadAndWritten) {
  EXPECT_EQ(Parsed("a\\.b.example").ToString(), "a\\.b.example.");
  EXPECT_EQ(Parsed("\\000\\255\\032\\065").ToString(), "\\000\\255\\032A.");
  EXPECT_EQ(Parsed("\\\\\\;\\@").ToString(), "\\\\\\;\\@.");
}

TEST(Name, TextThatIsNoNameIsRefused) {
  for (const char* text : {"", "..", ".a", "a..b", "a b", "a\n", "a\\", "a\\1", "a\\25", "a\\256",
                           "a\\2x5", "\xc3\xbc"}) {
    Result<Name> name = Name::Parse(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, Errc::kInvalid) << text;
  }
}

TEST(Name, LabelHasAtMost63Bytes) {
  EXPECT_TRUE(Name::Parse(Repeated('a', 63)));
  EXPECT_EQ(Name::Parse(Repeated('a', 64)).error().code, Errc::kTooLarge);
  EXPECT_EQ(Name().Child(Repeated('a', 63))->wire().size(), 65U);
  EXPECT_EQ(Name().Child(Repeated('a', 64)).error().code, Errc::kTooLarge);
  EXPECT_EQ(Name().Child("").error().code, Errc::kInvalid);
}

TEST(Name, NameHasAtMost255Bytes) {
  std::string three = Repeated('a', 63) + "." + Repeated('b', 63) + "." + Repeated('c', 63) + ".";
  EXPECT_EQ(Parsed(three + Repeated('d', 61)).wire().size(), 255U);
  EXPECT_EQ(Name::Parse(three + Repeated('d', 62)).error().code, Errc::kTooLarge);
  EXPECT_EQ(Parsed(three).Child(Repeated('d', 61))->wire().size(), 255U);
  EXPECT_EQ(Parsed(three).Child(Repeated('d', 62)).error().code, Errc::kTooLarge);
}

TEST(Name, LetterCaseDoesNotMatter) {
  EXPECT_EQ(Parsed("PHOTOS.example"), Parsed("photos.EXAMPLE"));
  EXPECT_EQ(Parsed("PHOTOS.example").Hash(), Parsed("photos.EXAMPLE").Hash());
  EXPECT_FALSE(Parsed("photos.example") == Parsed("photos.examplf"));
  EXPECT_FALSE(Parsed("photos.example") == Parsed("photos.example.com"));
  EXPECT_FALSE(Parsed("a[b") == Parsed("a{b"));  // these differ by the letters' case bit
  EXPECT_FALSE(Parsed("a\\.b") == Parsed("a.b"));
}

TEST(Name, KnowsWhatItIsBelow) {
  Name site = Parsed("photos.example");
  EXPECT_TRUE(site.IsWithin(site));
  EXPECT_TRUE(site.IsWithin(Name()));
  EXPECT_TRUE(Parsed("us-east.PHOTOS.example").IsWithin(site));
  EXPECT_FALSE(Parsed("example").IsWithin(site));
  EXPECT_FALSE(Parsed("myphotos.example").IsWithin(site));
  EXPECT_FALSE(Parsed("x\\006photos.example").IsWithin(site));  // the same bytes, inside one label
}

TEST(Name, ParentAndChildAreInverse) {
  Name child = *Parsed("photos.example").Child("us-east");
  EXPECT_EQ(child.ToString(), "us-east.photos.example.");
  EXPECT_EQ(child.Parent().ToString(), "photos.example.");
  EXPECT_EQ(Parsed("example").Parent(), Name());
}

TEST(NameDecode, FollowsPointersBackwards) {
  // At 12 "example", at 21 "photos" and a pointer to it, at 30 a pointer to that.
  std::vector<uint8_t> message = Message("07 'example' 00 06 'photos' c00c c015 ffff");
  size_t offset = 30;
  Name name;
  ASSERT_TRUE(Name::Decode(message, &offset, &name));
  EXPECT_EQ(name.ToString(), "photos.example.");
  EXPECT_EQ(offset, 32U);
}

TEST(NameDecode, RefusesWhatDoesNotLeadBackwards) {
  for (const char* tail : {"c00c", "c00d", "c00e 00", "c000", "c00b", "01 'a' c00c", "01 'a' c00d",
                           "01 'a' c0", "40", "80", "bf", "", "01", "05 'abcd'"}) {
    std::vector<uint8_t> message = Message(tail);
    size_t offset = 12;
    Name name = Parsed("left.over");
    EXPECT_FALSE(Name::Decode(message, &offset, &name)) << tail;
    EXPECT_TRUE(name.is_root());
  }
}

TEST(NameDecode, PointersThatMakeANameTooLongAreRefused) {
  // At 12 three labels of 63 and the root: 193 bytes. At 205 one of 61 or 62, then a pointer to 12.
  std::string three = "3f 'a'*63 3f 'b'*63 3f 'c'*63 00 ";
  std::vector<uint8_t> fits = Message(three + "3d 'd'*61 c00c");
  std::vector<uint8_t> over = Message(three + "3e 'd'*62 c00c");
  Name name;
  size_t offset = 205;
  ASSERT_TRUE(Name::Decode(fits, &offset, &name));
  EXPECT_EQ(name.wire().size(), 255U);
  offset = 205;
  EXPECT_FALSE(Name::Decode(over, &offset, &name));
}

TEST(NameDecode, FollowsAtMost127Pointers) {
  // At 12 the root, then pointers each to the one before; the nth stands at 13 + 2 * (n - 1).
  std::vector<uint8_t> message = Message("00 c00c");
  while (message.size() < 400) {
    size_t last = message.size() - 2;
    message.push_back(static_cast<uint8_t>(0xc0 | last >> 8));
    message.push_back(static_cast<uint8_t>(last));
  }
  Name name;
  size_t offset = 13 + 2 * 126;
  EXPECT_TRUE(Name::Decode(message, &offset, &name));
  offset = 13 + 2 * 127;
  EXPECT_FALSE(Name::Decode(message, &offset, &name));
}

TEST(NameDecode, UncompressedFormTakesNoPointer) {
  std::vector<uint8_t> plain = BytesOf("06 'photos' 00 ff");
  std::vector<uint8_t> pointing = Message("00 01 'a' c00c");
  Name name;
  size_t offset = 0;
  ASSERT_TRUE(Name::DecodeUncompressed(plain, &offset, &name));
  EXPECT_EQ(name.ToString(), "photos.");
  EXPECT_EQ(offset, 8U);
  offset = 13;
  EXPECT_FALSE(Name::DecodeUncompressed(pointing, &offset, &name));
  EXPECT_TRUE(name.is_root());
}

}  // namespace
}  // namespace meridian::wire::dns
