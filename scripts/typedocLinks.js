// @ts-check
/**
 * A typedoc plugin: a link may name any export of any entry.
 *
 * By itself typedoc finds a name only where TypeScript does, or in the same entry. `{@link ParametrizeError}` in a file that
 * does not import it, such as one of `nn`, would be a broken link. Here it leads to the export of that name, if there is
 * exactly one.
 *
 * @param {import('typedoc').Application} app
 */
export function load(app) {
  app.converter.addUnknownSymbolResolver((reference, from) => {
    if (reference.moduleSource !== undefined) return undefined;
    const path = reference.symbolReference?.path?.map(({ path }) => path) ?? [];
    const found = (from.project.children ?? [])
      .map((entry) => entry.getChildByName(path))
      .filter((reflection) => reflection !== undefined && !reflection.isReference());
    return found.length === 1 ? { target: found[0], caption: found[0].name } : undefined;
  });
}
