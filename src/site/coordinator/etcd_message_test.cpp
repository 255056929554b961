#include "site/coordinator/etcd_message.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/text/base64.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/limits.hpp"

namespace meridian::site {
namespace {

TEST(EtcdMessage, RequestsHaveTheGatewaysForm) {
  EXPECT_EQ(EtcdRead("foo"), R"({"key":"Zm9v"})");
  EXPECT_EQ(EtcdWrite("foo", "bar", 7),
            R"({"compare":[{"key":"Zm9v","target":"MOD","result":"EQUAL","mod_revision":"7"}],)"
            R"("success":[{"request_put":{"key":"Zm9v","value":"YmFy"}}],)"
            R"("failure":[{"request_range":{"key":"Zm9v"}}]})");
}

// Answers as etcd 3.4 gives them.
TEST(EtcdMessage, AKeyIsReadWithTheRevisionOfItsLastChange) {
  auto key = ReadEtcdKey(
      R"({"header":{"cluster_id":"14841639068965178418","member_id":"10276657743932975437",)"
      R"("revision":"5","raft_term":"2"},"kvs":[{"key":"Zm9v","create_revision":"2",)"
      R"("mod_revision":"4","version":"2","value":"YmFy"}],"count":"1"})");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(*key, (StoredKey{.value = "bar", .revision = 4, .newest_revision = 5}));
}

TEST(EtcdMessage, AKeyThatDoesNotExistHasRevisionZero) {
  auto key = ReadEtcdKey(R"({"header":{"revision":"5"}})");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(*key, StoredKey{.newest_revision = 5});
}

TEST(EtcdMessage, AWriteThatWasDoneHasTheRevisionOfTheStore) {
  auto written =
      ReadEtcdWrite(R"({"header":{"revision":"6"},"succeeded":true,"responses":[{"response_put":)"
                    R"({"header":{"revision":"6"}}}]})",
                    "bar");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_TRUE(written->done);
  EXPECT_EQ(written->now, (StoredKey{.value = "bar", .revision = 6, .newest_revision = 6}));
}

TEST(EtcdMessage, AWriteThatWasNotDoneHasTheKeyAsItIs) {
  auto written = ReadEtcdWrite(
      R"({"header":{"revision":"6"},"responses":[{"response_range":{"header":{"revision":"6"},)"
      R"("kvs":[{"key":"Zm9v","mod_revision":"3","value":"YmF6"}],"count":"1"}}]})",
      "bar");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_FALSE(written->done);
  EXPECT_EQ(written->now, (StoredKey{.value = "baz", .revision = 3, .newest_revision = 6}));
  auto gone = ReadEtcdWrite(
      R"({"header":{"revision":"6"},"responses":[{"response_range":{"header":{}}}]})", "bar");
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->done);
  EXPECT_EQ(gone->now, StoredKey{.newest_revision = 6});
}

TEST(EtcdMessage, OtherAnswersAreRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"kvs":[]})", R"({"header":{}})",
        R"({"header":{"revision":"5"},"kvs":[{"value":"YmFy"}]})",
        R"({"header":{"revision":"5"},"kvs":[{"mod_revision":"x","value":"YmFy"}]})",
        R"({"header":{"revision":"5"},"kvs":[{"mod_revision":"-1","value":"YmFy"}]})",
        R"({"header":{"revision":"5"},"kvs":[{"mod_revision":"1","value":"not base64"}]})",
        R"({"header":{"revision":"5"},"kvs":[{"mod_revision":"1"},{"mod_revision":"2"}]})"}) {
    EXPECT_FALSE(ReadEtcdKey(text)) << text;
  }
  for (const char* text :
       {"", "{}", R"({"header":{},"succeeded":true})", R"({"header":{"revision":"6"}})",
        R"({"header":{"revision":"6"},"responses":[{"response_put":{}}]})"}) {
    EXPECT_FALSE(ReadEtcdWrite(text, "bar")) << text;
  }
  const std::string huge = R"({"header":{"revision":"5"},"kvs":[{"mod_revision":"1","value":")" +
                           Base64(std::string(kMaxEtcdValueBytes + 1, 'x')) + R"("}]})";
  EXPECT_FALSE(ReadEtcdKey(huge));
}

TEST(EtcdMessage, AnErrorIsOnePrintableLine) {
  EXPECT_EQ(EtcdProblem(R"({"error":"etcdserver: no leader","code":14})"), "etcdserver: no leader");
  EXPECT_EQ(EtcdProblem("<html>\x1b[31m\n"), "<html> [31m ");
  EXPECT_EQ(EtcdProblem(std::string(5000, 'x')).size(), kMaxEtcdErrorBytes);
}

}  // namespace
}  // namespace meridian::site
