# MultiDict and NoCaseDict: what they add to a dict, and that they still compare as one.

import unittest

from microdot.microdot import MultiDict, NoCaseDict


class TestMultiDict(unittest.TestCase):
    def setUp(self):
        self.dict = MultiDict()
        self.dict["one"] = "1"
        self.dict["many"] = "2"
        self.dict["many"] = "3"

    def test_item_is_the_first_value(self):
        self.assertEqual(self.dict["one"], "1")
        self.assertEqual(self.dict["many"], "2")

    def test_missing_item_is_a_key_error(self):
        with self.assertRaises(KeyError):
            self.dict["none"]

    def test_get(self):
        self.assertEqual(self.dict.get("many"), "2")
        self.assertIsNone(self.dict.get("none"))
        self.assertEqual(self.dict.get("none", "default"), "default")
        self.assertEqual(self.dict.get("none", default=0), 0)

    def test_get_converts_the_value_but_not_the_default(self):
        self.assertEqual(self.dict.get("many", type=int), 2)
        self.assertEqual(self.dict.get("none", "7", type=int), "7")
        with self.assertRaises(ValueError):
            MultiDict({"a": "x"}).get("a", type=int)

    def test_getlist(self):
        self.assertEqual(self.dict.getlist("many"), ["2", "3"])
        self.assertEqual(self.dict.getlist("many", type=int), [2, 3])
        self.assertEqual(self.dict.getlist("none"), [])
        self.assertEqual(self.dict.getlist("none", type=int), [])

    def test_equals_a_dict_of_lists(self):
        self.assertTrue(self.dict == {"one": ["1"], "many": ["2", "3"]})
        self.assertTrue({"one": ["1"], "many": ["2", "3"]} == self.dict)  # noqa: SIM300 - the other way round
        self.assertFalse(self.dict == {"one": "1"})
        self.assertEqual(MultiDict(), {})

    def test_initial_values(self):
        self.assertEqual(MultiDict({"a": "1"}), {"a": ["1"]})

    def test_behaves_as_a_dict(self):
        self.assertIsInstance(self.dict, dict)
        self.assertIn("one", self.dict)
        self.assertNotIn("none", self.dict)
        self.assertEqual(len(self.dict), 2)
        self.assertEqual(sorted(self.dict), ["many", "one"])
        self.assertEqual(sorted(self.dict.keys()), ["many", "one"])
        del self.dict["many"]
        self.assertNotIn("many", self.dict)

    def test_items_and_values_show_lists(self):
        self.assertEqual(sorted(self.dict.items()), [("many", ["2", "3"]), ("one", ["1"])])
        self.assertEqual(sorted(self.dict.values()), [["1"], ["2", "3"]])
        self.assertEqual(self.dict.pop("many"), ["2", "3"])

    def test_falsy_values_are_values(self):
        values = MultiDict({"empty": ""})
        self.assertEqual(values["empty"], "")
        self.assertEqual(values.get("empty", "default"), "")


class TestNoCaseDict(unittest.TestCase):
    def setUp(self):
        self.dict = NoCaseDict()
        self.dict["Content-Type"] = "text/html"

    def test_keys_match_in_any_case(self):
        for key in ("Content-Type", "content-type", "CONTENT-TYPE"):
            with self.subTest(key=key):
                self.assertEqual(self.dict[key], "text/html")
                self.assertEqual(self.dict.get(key), "text/html")
                self.assertIn(key, self.dict)

    def test_first_spelling_stays(self):
        self.dict["CONTENT-TYPE"] = "text/plain"
        self.assertEqual(list(self.dict.items()), [("Content-Type", "text/plain")])
        self.assertEqual(list(self.dict), ["Content-Type"])

    def test_missing_key(self):
        with self.assertRaises(KeyError):
            self.dict["Other"]
        self.assertNotIn("Other", self.dict)
        self.assertIsNone(self.dict.get("Other"))
        self.assertEqual(self.dict.get("Other", "default"), "default")
        self.assertEqual(self.dict.get("Other", default=1), 1)

    def test_delete_in_any_case(self):
        del self.dict["content-TYPE"]
        self.assertNotIn("Content-Type", self.dict)
        self.assertEqual(self.dict, {})
        with self.assertRaises(KeyError):
            del self.dict["Content-Type"]

    def test_deleted_key_can_be_spelled_anew(self):
        del self.dict["Content-Type"]
        self.dict["content-type"] = "x"
        self.assertEqual(list(self.dict.items()), [("content-type", "x")])

    def test_update(self):
        self.dict.update({"CONTENT-type": "a", "X-Other": "b"})
        self.assertEqual(self.dict, {"Content-Type": "a", "X-Other": "b"})

    def test_equals_a_dict(self):
        self.assertTrue(NoCaseDict({"X-Foo": "Bar"}) == {"X-Foo": "Bar"})
        self.assertTrue({"X-Foo": "Bar"} == NoCaseDict({"X-Foo": "Bar"}))  # noqa: SIM300 - the other way round
        self.assertFalse(NoCaseDict({"X-Foo": "Bar"}) == {})
        self.assertEqual(NoCaseDict(), {})

    def test_initial_dict_is_copied(self):
        given = {"X-Foo": "Bar"}
        made = NoCaseDict(given)
        made["X-Foo"] = "changed"
        self.assertEqual(given, {"X-Foo": "Bar"})

    def test_has_a_keymap(self):
        self.assertTrue(hasattr(self.dict, "keymap"))

    def test_is_a_dict(self):
        self.assertIsInstance(self.dict, dict)
        self.assertEqual(len(self.dict), 1)
